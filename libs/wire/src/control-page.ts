// Owns how a browser is let in to the page of a peer, and what it hands over in files, as classes that class-validator checks.
import { IsOptional, IsRFC3339, IsString, IsUUID, Length, ValidateBy } from 'class-validator';
import { fileNameProblem } from '#domain/names';
import { PATH_CHARACTERS_MAX } from './limits.ts';
import { IsFileName } from './name-validation.ts';

/** Longest proof that a page may send. */
const PROOF_CHARACTERS = 512;

/** POST /page-tickets: good once, for a minute, to let a browser in. */
export class PageTicketView {
  @IsString()
  ticket!: string;

  @IsRFC3339()
  expiresAt!: string;
}

/** POST /page-sessions: one of both. */
export class PageSessionBody {
  /** Of POST /page-tickets. */
  @IsOptional()
  @IsString()
  @Length(1, PROOF_CHARACTERS)
  ticket?: string;

  /** The control token; no API key. */
  @IsOptional()
  @IsString()
  @Length(1, PROOF_CHARACTERS)
  token?: string;
}

/** POST /dropped-files: what the file is called, and where in a folder it belongs. */
export class DroppedFileQuery {
  /** Of the file, or of the folder in which `path` is. */
  @IsFileName()
  name!: string;

  /** A UUID for all files of one folder; another one is made where it is left out. */
  @IsOptional()
  @IsUUID()
  folder?: string;

  /** Of a file in a folder, below the folder, its components joined with `/`. */
  @IsOptional()
  @IsPathBelow()
  path?: string;
}

/** DELETE /dropped-files/{folder}. */
export class DroppedFolderPlace {
  @IsUUID()
  folder!: string;
}

/** What upload_file takes. */
export class DroppedFileView {
  /** For the next file of the same folder. */
  @IsUUID()
  folder!: string;

  /** Where it is on the peer's machine: the file, or the folder in which it is. */
  @IsString()
  path!: string;
}

/** A path below a folder: names that hold on every system, joined with `/`. */
function IsPathBelow(): PropertyDecorator {
  return ValidateBy({
    name: 'isPathBelow',
    validator: {
      validate: (value) => typeof value === 'string' && pathProblem(value) === null,
      defaultMessage: (about) => {
        const value: unknown = about?.value;
        return `$property ${typeof value === 'string' ? pathProblem(value) : 'must be a string'}`;
      },
    },
  });
}

function pathProblem(path: string): string | null {
  if (path.length > PATH_CHARACTERS_MAX) return `must be at most ${PATH_CHARACTERS_MAX} characters`;
  for (const name of path.split('/')) {
    const problem = fileNameProblem(name);
    if (problem !== null) return `must be names joined with /, of which each ${problem}`;
  }
  return null;
}
