// Owns the files of a group, below the group's heading and tabs.

/** The files of a group that the user is in, and one of them that is looked at. */
export function FilesView({ group, file }: { readonly group: string; readonly file: string | undefined }) {
  return (
    <p>
      {group} {file}
    </p>
  );
}
