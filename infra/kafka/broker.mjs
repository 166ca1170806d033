// Owns real Kafka brokers on this machine: Apache Kafka's own jars from Maven Central, KRaft nodes that are each broker and
// controller, on loopback only. `npm run kafka` and the tests start them from here. Plain JavaScript for any Node from 20 on.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../quick-start/ports.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const target = join(here, 'target');
const jars = join(target, 'jars');
const classPath = join(jars, '*');
/** Kafka's classes as Java has them in memory once they are loaded; empty where this Java makes none. */
const archive = join(target, 'classes.jsa');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const ARCHIVE_TIMEOUT_MS = 60_000;
const OUTPUT_KEPT_CHARACTERS = 8_000;
/** How Java runs what soon ends: without spending a processor on making it fast. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1'];
/** How it runs one broker of several: with a small heap as well. */
const SMALL = ['-Xmx256m', ...SHORT_LIVED];
const run = promisify(execFile);

/** Why there is no Kafka here, or null when there is. `KAFKA_BROKERS` names one that runs already. */
export function kafkaSkipReason() {
  return borrowedBrokers() === null ? ownBrokerSkipReason() : null;
}

/** Why no broker can be started here, or null when one can. */
export function ownBrokerSkipReason() {
  if (!works('java')) return 'there is no "java" on the path; install a JRE 17 or newer, or set KAFKA_BROKERS';
  if (!existsSync(jars) && !works('mvn')) {
    return 'there is no "mvn" on the path to fetch it with; install Maven, or set KAFKA_BROKERS';
  }
  return null;
}

/**
 * Starts a broker, fetching Kafka first when that is missing. Where nothing is said of its data, port or door, the brokers of
 * `KAFKA_BROKERS` are used if that is set, and `stop` and `kill` leave those alone.
 */
export async function startBroker({ isLasting = false, ...options } = {}) {
  const borrowed = borrowedBrokers();
  if (borrowed !== null && Object.keys(options).length === 0) {
    return { brokers: borrowed, pid: null, stop: async () => {}, kill: async () => {} };
  }
  await fetchJars();
  await archiveClasses();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'cohort-kafka-')));
  const [free, controllerPort] = await freePorts('127.0.0.1', [0, 0]);
  const node = { id: 1, port: options.port || free, controllerPort, dataDir, door: options.door };
  await prepareStorage(node, { nodes: [node], clusterId: newClusterId() });
  const end = async (signal) => {
    await stopped(broker, signal);
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const broker = spawnBroker(node, isLasting ? [] : SHORT_LIVED);
  try {
    await ready(broker);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return { brokers: addressOf(node), pid: broker.pid, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/**
 * Starts a cluster of several brokers, each in a folder of its own; the first one listens on `port` where that is given.
 * Each can be killed and started again by itself.
 */
export async function startBrokers({ count, dataDir, port = 0 }) {
  await fetchJars();
  await archiveClasses();
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'cohort-kafka-')));
  const ports = await freePorts('127.0.0.1', [port, ...Array(2 * count - 1).fill(0)]);
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: ports[index],
    controllerPort: ports[count + index],
    dataDir: join(folder, `broker-${index + 1}`),
  }));
  const clusterId = newClusterId();
  await Promise.all(nodes.map((node) => prepareStorage(node, { nodes, clusterId })));
  const members = nodes.map((node) => new Member(node));
  const stop = async () => {
    await Promise.all(members.map((member) => member.stop()));
    if (dataDir === undefined) await rm(folder, { recursive: true, force: true });
  };
  const started = await Promise.allSettled(members.map((member) => member.start()));
  const failed = started.find(({ status }) => status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { brokers: nodes.map(addressOf).join(','), members, stop };
}

/** One broker of several. */
class Member {
  #node;
  #process = null;

  constructor(node) {
    this.#node = node;
  }

  /** As Kafka's metadata names it. */
  get id() {
    return this.#node.id;
  }

  async start() {
    this.#process = spawnBroker(this.#node, SMALL);
    await ready(this.#process);
  }

  async stop() {
    if (this.#process !== null) await stopped(this.#process, 'SIGTERM');
  }

  async kill() {
    if (this.#process !== null) await stopped(this.#process, 'SIGKILL');
  }
}

/** The lines that Kafka's own console consumer prints for a topic, from its beginning. */
export async function consumeOnConsole({ brokers, topic, maxMessages, idleMs = 5_000, properties = {} }) {
  await fetchJars();
  const count = maxMessages === undefined ? [] : ['--max-messages', String(maxMessages)];
  const print = Object.entries(properties).flatMap(([name, value]) => ['--property', `${name}=${value}`]);
  const consumer = [
    '--bootstrap-server',
    brokers,
    '--topic',
    topic,
    '--from-beginning',
    '--timeout-ms',
    String(idleMs),
  ];
  const toolClass = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
  // It exits with 1 when the timeout ended it.
  const options = { maxBuffer: 1024 * 1024 * 1024 };
  const { stdout } = await run(
    'java',
    [...javaOptions('OFF'), ...SHORT_LIVED, toolClass, ...consumer, ...count, ...print],
    options,
  ).catch((error) => {
    if (typeof error.code !== 'number' || error.code !== 1) throw error;
    return error;
  });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Brings Kafka's jars, about 55 MB, into `infra/kafka/target`, and returns their folder. Does nothing when they are there. */
export async function fetchJars() {
  if (existsSync(jars)) return jars;
  await mkdir(target, { recursive: true });
  const incoming = await mkdtemp(join(target, 'incoming-'));
  const goal = [
    '-q',
    '-B',
    '-f',
    join(here, 'pom.xml'),
    'dependency:copy-dependencies',
    `-DoutputDirectory=${incoming}`,
  ];
  try {
    await run('mvn', goal);
    // Another process may have been faster; its jars are the same.
    await rename(incoming, jars).catch((error) => {
      if (!existsSync(jars)) throw error;
    });
  } catch (error) {
    throw new Error(`Kafka's jars could not be fetched: ${error.stdout || error.message}`, { cause: error });
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
  return jars;
}

/**
 * Has a broker that does nothing leave an archive of the classes that it has loaded, with which a broker starts in about half the
 * time. Does nothing when it is there. It is a shortcut: Java goes without one that is of another Java, and so does who finds none.
 */
async function archiveClasses() {
  if (existsSync(archive)) return;
  const dataDir = await mkdtemp(join(target, 'archiving-'));
  const made = join(dataDir, 'classes.jsa');
  try {
    const [port, controllerPort] = await freePorts('127.0.0.1', [0, 0]);
    const node = { id: 1, port, controllerPort, dataDir };
    await prepareStorage(node, { nodes: [node], clusterId: newClusterId() });
    const broker = spawnBroker(node, [...SHORT_LIVED, `-XX:ArchiveClassesAtExit=${made}`]);
    await ready(broker);
    await stopped(broker, 'SIGTERM', ARCHIVE_TIMEOUT_MS);
    // Java ends by itself when it has written all; it would fall over a part.
    if (broker.signalCode !== null) await rm(made, { force: true });
    if (!existsSync(made)) await writeFile(made, '');
    const file = await open(made, 'r');
    await file.sync().finally(() => file.close());
    await rename(made, archive);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Java's words for the archive, where there is one. */
function archiveOptions() {
  const bytes = statSync(archive, { throwIfNoEntry: false })?.size ?? 0;
  return bytes === 0 ? [] : [`-XX:SharedArchiveFile=${archive}`];
}

async function prepareStorage(node, { nodes, clusterId }) {
  const storage = storageOf(node);
  const isFormatted = existsSync(join(storage, 'meta.properties'));
  await mkdir(storage, { recursive: true });
  await writeFile(configurationOf(node), serverProperties(node, nodes));
  if (isFormatted) return;
  // In one word: an id that begins with a dash would be taken for a flag.
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', configurationOf(node)];
  const logins = (node.door?.scram ?? []).flatMap((login) => ['--add-scram', login]);
  await run('java', [...javaOptions(), ...archiveOptions(), ...SHORT_LIVED, ...format, ...logins]);
}

function storageOf({ dataDir }) {
  return join(dataDir, 'storage');
}

function configurationOf({ dataDir }) {
  return join(dataDir, 'server.properties');
}

function addressOf({ port }) {
  return `127.0.0.1:${port}`;
}

function newClusterId() {
  return randomBytes(16).toString('base64url');
}

/** With what is said in `more` a broker takes less of the machine. */
function spawnBroker(node, more) {
  const words = [...javaOptions(), ...archiveOptions(), ...more, 'kafka.Kafka', configurationOf(node)];
  return spawn('java', words, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function serverProperties(node, nodes) {
  const { id, port, controllerPort, door = { protocol: 'PLAINTEXT', properties: {} } } = node;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes.map((voter) => `${voter.id}@127.0.0.1:${voter.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'BROKER',
    listeners: `BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': `BROKER:${door.protocol},CONTROLLER:PLAINTEXT`,
    'log.dirs': storageOf(node),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': Math.min(3, nodes.length),
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    // A broker that was killed is let in again once its last session is over.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 2,
    ...door.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\n', '\\n')}\n`)
    .join('');
}

function javaOptions(logLevel = 'WARN') {
  const logging = [`-Dlog4j2.configurationFile=${join(here, 'log4j2.properties')}`, `-Dcohort.kafka.log=${logLevel}`];
  return ['-Xmx384m', '-XX:+UseSerialGC', '-Djava.awt.headless=true', ...logging, '-cp', classPath];
}

/** Resolves with the line that the broker prints when it takes requests; rejects with what it said instead. */
function ready(broker) {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (what) => reject(new Error(`Kafka ${what}:\n${output}`));
    const timer = setTimeout(() => fail(`was not ready within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    const listen = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_KEPT_CHARACTERS);
      if (!output.includes('Kafka Server started')) return;
      clearTimeout(timer);
      resolve();
    };
    broker.stdout.setEncoding('utf8').on('data', listen);
    broker.stderr.setEncoding('utf8').on('data', listen);
    broker.on('error', (error) => fail(`could not be started (${error.message})`));
    broker.on('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended (${code ?? signal})`);
    });
    endWithThisProcess(broker);
  });
}

function endWithThisProcess(broker) {
  const kill = () => broker.kill('SIGKILL');
  process.on('exit', kill);
  broker.on('exit', () => process.off('exit', kill));
}

async function stopped(broker, signal, timeoutMs = STOP_TIMEOUT_MS) {
  if (broker.exitCode !== null || broker.signalCode !== null || broker.pid === undefined) return;
  const exited = new Promise((resolve) => broker.once('exit', resolve));
  broker.kill(signal);
  const timer = setTimeout(() => broker.kill('SIGKILL'), timeoutMs);
  await exited;
  clearTimeout(timer);
}

function borrowedBrokers() {
  return process.env.KAFKA_BROKERS || null;
}

function works(command) {
  return spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0;
}
