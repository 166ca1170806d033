import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { isCertainlyUnsent, kafkaFailure } from '../../../../apps/tracker/src/command-log/kafka-failure.ts';

function protocolError(type: string, retriable: boolean): Error {
  return new kafkajs.KafkaJSProtocolError({ name: 'x', message: type, type, retriable } as never);
}

function afterRetries(cause: Error): Error {
  return new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 4, retryTime: 500 });
}

/** An error that the client's types do not know how to make. */
function outage(name: string, retriable: boolean): Error {
  return Object.assign(new Error(name), { name, retriable });
}

const refused = new kafkajs.KafkaJSConnectionError('connect ECONNREFUSED', { code: 'ECONNREFUSED' });

describe('an error of the Kafka client', () => {
  test.each([
    ['a refused connection', refused, 'log_unavailable'],
    ['a refused connection after retries', afterRetries(refused), 'log_unavailable'],
    ['a closed connection', outage('KafkaJSConnectionClosedError', true), 'log_unavailable'],
    ['too few replicas', protocolError('NOT_ENOUGH_REPLICAS', true), 'log_unavailable'],
    ['no coordinator', outage('KafkaJSGroupCoordinatorNotFound', false), 'log_unavailable'],
    ['a batch above the topic limit', protocolError('MESSAGE_TOO_LARGE', false), 'record_too_large'],
    ['a refused right', protocolError('TOPIC_AUTHORIZATION_FAILED', false), 'log_misconfigured'],
    ['a refused login', outage('KafkaJSSASLAuthenticationError', false), 'log_misconfigured'],
    ['a missing topic', afterRetries(protocolError('UNKNOWN_TOPIC_OR_PARTITION', true)), 'log_halted'],
    ['a codec that is not there', new kafkajs.KafkaJSNonRetriableError('no zstd'), 'log_halted'],
    ['a bug', new TypeError('x is not a function'), 'log_halted'],
  ])('%s is %s', (_, error, code) => {
    const failure = kafkaFailure(error, 'testing');
    expect(failure).toMatchObject({ code, cause: error });
    expect(failure.message).toContain('testing');
  });

  test.each([
    ['a refused connection', afterRetries(refused), 'start the brokers that --log names'],
    ['a refused login', outage('KafkaJSSASLAuthenticationError', false), 'correct sasl in the file of --kafka-client'],
    [
      'a certificate',
      new kafkajs.KafkaJSConnectionError('x', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'correct tls in',
    ],
    ['too few replicas', protocolError('NOT_ENOUGH_REPLICAS', true), 'start the others'],
  ])('%s says what helps', (_, error, advice) => {
    expect(kafkaFailure(error, 'testing').message).toContain(advice);
  });

  test('a failure of ours passes as it is', () => {
    const failure = new LogFailure('log_halted', 'x');
    expect(kafkaFailure(failure, 'testing')).toBe(failure);
  });

  test.each([
    [true, 'a refused connection', refused],
    [true, 'a leader that moved', afterRetries(protocolError('NOT_LEADER_FOR_PARTITION', true))],
    [true, 'too few replicas before the write', protocolError('NOT_ENOUGH_REPLICAS', true)],
    [false, 'too few replicas after the write', protocolError('NOT_ENOUGH_REPLICAS_AFTER_APPEND', true)],
    [false, 'a connection that broke', new kafkajs.KafkaJSConnectionError('reset', { code: 'ECONNRESET' })],
    [false, 'a connection that was closed', outage('KafkaJSConnectionClosedError', true)],
    [false, 'a bug', new TypeError('x is not a function')],
  ])('that nothing was stored is %s for %s', (isUnsent, _, error) => {
    expect(isCertainlyUnsent(error)).toBe(isUnsent);
  });
});
