import { expect, test } from 'vitest';
import { fieldProblem, type PageProblem, restOfProblem } from '../../../apps/peer/web/src/api/problem.ts';

const problem: PageProblem = {
  code: 'invalid_request',
  detail: 'The request is not well-formed.',
  retryable: false,
  errors: [
    { field: 'group', message: 'must not be empty' },
    { field: 'copies', message: 'must be a number' },
  ],
};

test('what is wrong with a field is a sentence beside it', () => {
  expect(fieldProblem(problem, 'group')).toBe('Must not be empty.');
  expect(fieldProblem(problem, 'other')).toBeNull();
  expect(fieldProblem(null, 'group')).toBeNull();
});

test('what no field says is said of the whole', () => {
  expect(restOfProblem(problem, ['group'])).toBe('copies must be a number.');
  expect(restOfProblem(problem, ['group', 'copies'])).toBeNull();
  expect(restOfProblem({ ...problem, errors: [] }, ['group'])).toBe('The request is not well-formed.');
  expect(restOfProblem(null, [])).toBeNull();
});
