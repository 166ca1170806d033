// Owns the line of the process's log about a command: what it came to, and what it is known by elsewhere. What was accepted
// stands in the log of commands, so here only who asks for everything is told of it.
import type { About, ProcessLog } from '#program/process-log';
import { ERRORS } from '#wire/wire-error';
import type { Answer } from './answers.ts';

/** From here on it is this side that failed. */
const FAILURE_STATUS_MIN = 500;

export function tellOfCommand(log: ProcessLog, about: About, answer: Answer): void {
  switch (answer.status) {
    case 'accepted':
      return log.debug('accepted', { ...about, offset: answer.offset });
    case 'rejected':
      return log.info('refused', { ...about, code: answer.reason, offset: answer.offset });
    case 'failed': {
      const { code } = answer;
      if (ERRORS[code].status < FAILURE_STATUS_MIN) log.info('refused', { ...about, code });
      else log.warn('failed', { ...about, code });
    }
  }
}
