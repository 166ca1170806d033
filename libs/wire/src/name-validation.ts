// Owns the class-validator decorators for names, ids and addresses, so that a DTO checks a name by the domain's own rule,
// after the NFC normalisation that happens before the append.
import { Transform } from 'class-transformer';
import { IsInt, IsString, IsUUID, Length, Matches, Max, Min, ValidateBy } from 'class-validator';
import { fileNameProblem, userNameProblem } from '#domain/names';
import { parseHostPort } from './host-port.ts';
import { PATH_CHARACTERS_MAX } from './limits.ts';

/** A user or group name, normalised to NFC. */
export function IsUserName(): PropertyDecorator {
  return checkedName('isUserName', userNameProblem);
}

/** Each of a list of user or group names. */
export function AreUserNames(): PropertyDecorator {
  const isName = (value: unknown): boolean => typeof value === 'string' && userNameProblem(value) === null;
  const defaultMessage = (): string => '$property must be names, each of 1 to 64 letters, digits and the like';
  const check = ValidateBy({ name: 'areUserNames', validator: { validate: isName, defaultMessage } }, { each: true });
  const respell = Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(inNfc) : value));
  return (target, property) => {
    respell(target, property);
    check(target, property);
  };
}

/** A file name: one path component, normalised to NFC. */
export function IsFileName(): PropertyDecorator {
  return checkedName('isFileName', fileNameProblem);
}

/** A peer, tracker or content id: 64 lowercase hex characters. */
export function IsDigest(): PropertyDecorator {
  return Matches(/^[0-9a-f]{64}$/, { message: '$property must be 64 lowercase hex characters' });
}

/** Each of a list of addresses: `host:port` as `parseHostPort` reads it. */
export function AreHostPorts(): PropertyDecorator {
  const isHostPort = (value: unknown): boolean => typeof value === 'string' && parseHostPort(value).ok;
  const defaultMessage = (): string => '$property must be addresses like 192.0.2.1:9101 or [2001:db8::1]:9101';
  return ValidateBy({ name: 'areHostPorts', validator: { validate: isHostPort, defaultMessage } }, { each: true });
}

/** Runs of ids: the first and the last of each, in ascending order. */
export function AreIdRuns(): PropertyDecorator {
  const validate = (value: unknown): boolean => Array.isArray(value) && areIdRuns(value);
  const defaultMessage = (): string => '$property must be the first and the last id of each run, in ascending order';
  return ValidateBy({ name: 'areIdRuns', validator: { validate, defaultMessage } });
}

/** Which version of a file. */
export function IsVersion(): PropertyDecorator {
  const message = '$property must be a version: one whole number, from 1 on';
  return allOf(Max(Number.MAX_SAFE_INTEGER, { message }), Min(1, { message }), IsInt({ message }));
}

/** The path of one file below a share. */
export function IsPathInShare(): PropertyDecorator {
  const message = `$property must be one path of a file in the folder, like inner/film.mkv, of at most ${PATH_CHARACTERS_MAX} characters`;
  return allOf(IsString({ message }), Length(1, PATH_CHARACTERS_MAX, { message }));
}

function allOf(...checks: readonly PropertyDecorator[]): PropertyDecorator {
  return (target, property) => {
    for (const check of checks) check(target, property);
  };
}

/** A command id: a UUID, in lower case as a record has it. */
export function IsCommandId(): PropertyDecorator {
  return respelled((text) => text.toLowerCase(), IsUUID());
}

function checkedName(name: string, problem: (text: string) => string | null): PropertyDecorator {
  const check = ValidateBy({
    name,
    validator: {
      validate: (value) => typeof value === 'string' && problem(value) === null,
      defaultMessage: (about) => {
        const value: unknown = about?.value;
        return `$property ${typeof value === 'string' ? problem(value) : 'must be a string'}`;
      },
    },
  });
  return respelled((text) => text.normalize('NFC'), check);
}

function areIdRuns(ends: readonly unknown[]): boolean {
  let last = -1;
  for (const [index, end] of ends.entries()) {
    const isFirst = index % 2 === 0;
    if (!Number.isSafeInteger(end) || (end as number) < last + Number(isFirst)) return false;
    last = end as number;
  }
  return ends.length % 2 === 0;
}

function inNfc(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC') : value;
}

/** Puts a text into its one spelling, then checks it. */
function respelled(spell: (text: string) => string, check: PropertyDecorator): PropertyDecorator {
  const respell = Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? spell(value) : value));
  return (target, property) => {
    respell(target, property);
    check(target, property);
  };
}
