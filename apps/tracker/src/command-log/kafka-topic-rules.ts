// Owns what the log's topic has to be on a Kafka cluster: one partition, nothing ever deleted, and acknowledged means on
// disk. Pure: the adapter asks the cluster and creates the topic.

/** A topic as the cluster describes it. */
export interface TopicDescription {
  readonly topic: string;
  readonly partitionCount: number;
  readonly replicaCount: number;
  readonly settings: ReadonlyMap<string, string>;
}

/** How to create the topic. */
export interface TopicPlan {
  readonly replicaCount: number;
  readonly settings: Readonly<Record<string, string>>;
}

const REPLICAS_MAX = 3;
/** A batch of APPEND_BATCH_BYTES_MAX with what Kafka writes around its records. */
const MESSAGE_BYTES_MIN = 1_000_000;
/** The client has a codec for no other. */
const READABLE_COMPRESSION: ReadonlySet<string | undefined> = new Set(['producer', 'uncompressed', 'gzip']);

/** The topic on a cluster of so many brokers. */
export function topicPlan(brokerCount: number): TopicPlan {
  const replicaCount = Math.min(REPLICAS_MAX, Math.max(1, brokerCount));
  return {
    replicaCount,
    settings: {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'message.timestamp.type': 'LogAppendTime',
      'unclean.leader.election.enable': 'false',
      ...durabilitySettings(replicaCount),
    },
  };
}

/** What is wrong with a topic, one whole sentence for each fault; empty when the log may live there. */
export function topicFaults({ topic, partitionCount, replicaCount, settings }: TopicDescription): readonly string[] {
  const faults: string[] = [];
  if (partitionCount !== 1) faults.push(`It has ${partitionCount} partitions; the log needs exactly 1.`);
  const wanted = {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    ...(replicaCount === 1 && durabilitySettings(1)),
  };
  for (const [name, value] of Object.entries(wanted)) {
    if (settings.get(name) !== value) faults.push(setting({ topic, name, value }));
  }
  if (replicaCount > 1 && Number(settings.get('min.insync.replicas')) < 2) {
    faults.push(setting({ topic, name: 'min.insync.replicas', value: '2' }));
  }
  if (settings.get('unclean.leader.election.enable') === 'true') {
    faults.push(setting({ topic, name: 'unclean.leader.election.enable', value: 'false' }));
  }
  if (Number(settings.get('max.message.bytes')) < MESSAGE_BYTES_MIN) {
    faults.push(setting({ topic, name: 'max.message.bytes', value: '1048588' }));
  }
  if (!READABLE_COMPRESSION.has(settings.get('compression.type'))) {
    faults.push(setting({ topic, name: 'compression.type', value: 'producer' }));
  }
  return faults;
}

/** One replica has to flush each batch; several have to confirm it on two machines. */
function durabilitySettings(replicaCount: number): Record<string, string> {
  return replicaCount === 1 ? { 'flush.messages': '1' } : { 'min.insync.replicas': '2' };
}

function setting({ topic, name, value }: { topic: string; name: string; value: string }): string {
  const command = `kafka-configs.sh --alter --topic ${topic} --add-config ${name}=${value}`;
  return `Its ${name} has to be ${value}: ${command}`;
}
