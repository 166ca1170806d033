// Owns what an error of the Kafka client means for the log. The client nests its errors and marks most of them retriable;
// what counts is the innermost one, the one that started it.
import { LogFailure, type LogFailureCode } from './command-log.ts';

/** The fields of the client's errors that say what happened. */
interface ClientError {
  readonly name?: string;
  /** The protocol's error, as `UNKNOWN_TOPIC_OR_PARTITION`. */
  readonly type?: string;
  readonly retriable?: boolean;
  /** The system's error, as `ECONNREFUSED`. */
  readonly code?: unknown;
  readonly cause?: unknown;
}

const CODE_OF_TYPE: Readonly<Record<string, LogFailureCode>> = {
  MESSAGE_TOO_LARGE: 'record_too_large',
  RECORD_LIST_TOO_LARGE: 'record_too_large',
  TOPIC_AUTHORIZATION_FAILED: 'log_misconfigured',
  GROUP_AUTHORIZATION_FAILED: 'log_misconfigured',
  CLUSTER_AUTHORIZATION_FAILED: 'log_misconfigured',
  UNSUPPORTED_VERSION: 'log_misconfigured',
  UNKNOWN_TOPIC_OR_PARTITION: 'log_halted',
};

/** Says "not retriable" of itself, but happens while a broker is away. */
const OUTAGES: ReadonlySet<string | undefined> = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout',
  'KafkaJSFetcherRebalanceError',
]);

/**
 * The failure that an error of the client stands for. What no outage explains, as a record that cannot be decoded, is
 * `log_halted`: trying again would meet it again.
 */
export function kafkaFailure(error: unknown, doing: string): LogFailure {
  if (error instanceof LogFailure) return error;
  const innermost = innermostOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  const { type, code, name } = innermost;
  const advice = ADVICE.get(type) ?? ADVICE.get(code) ?? ADVICE.get(name);
  return new LogFailure(
    codeOf(innermost),
    `Kafka, ${doing}: ${detail}${advice === undefined ? '' : `; ${advice}`}`,
    error,
  );
}

/** Brokers do not know who this is, or do not take the mechanism. */
const REFUSED_LOGIN = 'KafkaJSSASLAuthenticationError';

const NEEDS_BROKERS = 'start the brokers that --log names, or correct their addresses';
const NEEDS_MORE_BROKERS = 'too few brokers have every record: start the others';
const NEEDS_AUTHORITY = 'correct tls in the file of --kafka-client: nobody whom it trusts vouches for that broker';
/** What helps, by the protocol's error, by the system's, and by the client's own name for it. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ['ECONNREFUSED', NEEDS_BROKERS],
  ['EHOSTUNREACH', NEEDS_BROKERS],
  ['ENOTFOUND', NEEDS_BROKERS],
  [REFUSED_LOGIN, 'correct sasl in the file of --kafka-client'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', NEEDS_AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', NEEDS_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', NEEDS_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', NEEDS_AUTHORITY],
  ['CERT_HAS_EXPIRED', NEEDS_AUTHORITY],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'give the name in its certificate as tls.serverName in the file of --kafka-client'],
  ['NOT_ENOUGH_REPLICAS', NEEDS_MORE_BROKERS],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', NEEDS_MORE_BROKERS],
]);

/** What a broker answers before it stores anything, and what the system says before anything is sent. */
const UNSENT: ReadonlySet<unknown> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'BROKER_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Whether it is certain that nothing of a failed send was stored, so that sending again cannot store it twice. */
export function isCertainlyUnsent(error: unknown): boolean {
  const { type, code } = innermostOf(error);
  return UNSENT.has(type) || UNSENT.has(code);
}

function codeOf({ name, type, retriable }: ClientError): LogFailureCode {
  if (name === REFUSED_LOGIN) return 'log_misconfigured';
  const known = type === undefined ? undefined : CODE_OF_TYPE[type];
  return known ?? (retriable === true || OUTAGES.has(name) ? 'log_unavailable' : 'log_halted');
}

function innermostOf(error: unknown): ClientError {
  let innermost = error as ClientError;
  while (typeof innermost.cause === 'object' && innermost.cause !== null) innermost = innermost.cause as ClientError;
  return innermost;
}
