// Owns the class-validator decorators for names and ids, so that a DTO checks a name by the domain's own rule, after the
// NFC normalisation that happens before the append.
import { Transform } from 'class-transformer';
import { Matches, ValidateBy } from 'class-validator';
import { fileNameProblem, userNameProblem } from '#domain/names';

/** A user or group name, normalised to NFC. */
export function IsUserName(): PropertyDecorator {
  return checkedName('isUserName', userNameProblem);
}

/** A file name: one path component, normalised to NFC. */
export function IsFileName(): PropertyDecorator {
  return checkedName('isFileName', fileNameProblem);
}

/** A peer, tracker or content id: 64 lowercase hex characters. */
export function IsDigest(): PropertyDecorator {
  return Matches(/^[0-9a-f]{64}$/, { message: '$property must be 64 lowercase hex characters' });
}

function checkedName(name: string, problem: (text: string) => string | null): PropertyDecorator {
  const normalise = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.normalize('NFC') : value,
  );
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
  return (target, property) => {
    normalise(target, property);
    check(target, property);
  };
}
