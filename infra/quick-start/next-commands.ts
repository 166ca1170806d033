// Owns the commands that a new person types first. `npm start` prints them and the README shows them, so there is one list.

/** What bob calls his copy, in the folder of `npm start`. */
export const COPY_NAME = 'README-of-bob.md';

/** The commands in their order, one a line, an empty line between their parts. `place` is the folder of `npm start`. */
export function nextCommands(place: string): string[] {
  const cohort = (name: string, words: string): string => `npx cohort --data-dir ${place}/${name} ${words}`;
  return [
    cohort('alice', 'create_user alice'),
    cohort('alice', 'login alice'),
    cohort('bob', 'create_user bob'),
    cohort('bob', 'login bob'),
    '',
    cohort('alice', 'create_group friends'),
    cohort('bob', 'join_group friends'),
    cohort('alice', 'accept_request friends bob'),
    '',
    cohort('alice', 'upload_file friends README.md'),
    cohort('bob', `download_file friends README.md ${place}/${COPY_NAME}`),
    cohort('bob', 'show_downloads'),
  ];
}
