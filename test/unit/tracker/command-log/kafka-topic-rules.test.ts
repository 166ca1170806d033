import { describe, expect, test } from 'vitest';
import { topicFaults, topicPlan } from '../../../../apps/tracker/src/command-log/kafka-topic-rules.ts';

/** What a broker adds to the settings that a topic was created with. */
const DEFAULTS = { 'max.message.bytes': '1048588', 'compression.type': 'producer', 'min.insync.replicas': '1' };

function planned(brokerCount: number, change: Record<string, string> = {}) {
  const { replicaCount, settings } = topicPlan(brokerCount);
  const all = { ...DEFAULTS, ...settings, ...change };
  return { topic: 't', partitionCount: 1, replicaCount, settings: new Map(Object.entries(all)) };
}

describe('the topic of the log', () => {
  test.each([
    [1, 1, 'flush.messages', '1'],
    [2, 2, 'min.insync.replicas', '2'],
    [3, 3, 'min.insync.replicas', '2'],
    [9, 3, 'min.insync.replicas', '2'],
  ])('on %i brokers has %i replicas and %s=%s', (brokerCount, replicaCount, name, value) => {
    const plan = topicPlan(brokerCount);
    expect(plan.replicaCount).toBe(replicaCount);
    expect(plan.settings[name]).toBe(value);
  });

  test.each([1, 2, 3])('as it is planned on %i brokers has no fault', (brokerCount) => {
    expect(topicFaults(planned(brokerCount))).toEqual([]);
  });

  test.each([
    [1, 'cleanup.policy', 'compact', 'delete'],
    [1, 'cleanup.policy', 'compact,delete', 'delete'],
    [1, 'retention.ms', '604800000', '-1'],
    [1, 'retention.bytes', '1', '-1'],
    [1, 'flush.messages', '9223372036854775807', '1'],
    [3, 'min.insync.replicas', '1', '2'],
    [3, 'unclean.leader.election.enable', 'true', 'false'],
    [1, 'max.message.bytes', '65536', '1048588'],
    [1, 'compression.type', 'zstd', 'producer'],
  ])('on %i brokers with %s=%s is refused, with the command that mends it', (brokerCount, name, value, wanted) => {
    expect(topicFaults(planned(brokerCount, { [name]: value }))).toEqual([
      `Its ${name} has to be ${wanted}: kafka-configs.sh --alter --topic t --add-config ${name}=${wanted}`,
    ]);
  });

  test('with several partitions is refused', () => {
    expect(topicFaults({ ...planned(1), partitionCount: 3 })).toEqual([
      'It has 3 partitions; the log needs exactly 1.',
    ]);
  });
});
