// Owns `npm run kafka`: a real Kafka broker, or several, on loopback until Ctrl-C, on the port that clients expect where that
// is free.
import { readFlags } from '../launcher/flags.mjs';
import { freePorts } from '../quick-start/ports.mjs';
import { ownBrokerSkipReason, startBroker, startBrokers } from './broker.mjs';

const USUAL_PORT = 9092;
const BROKERS_MAX = 5;
const USAGE = `npm run kafka -- [--port <n>] [--data-dir <folder>] [--brokers <n>]
  --port <n>           where it listens, 0 for any free port (${USUAL_PORT}, or a free one when that is taken)
  --data-dir <folder>  where its data stays (without it: nowhere, the data ends with the broker)
  --brokers <n>        that many brokers, which keep every record three times from 3 on (1)`;

const options = { port: { type: 'string' }, 'data-dir': { type: 'string' }, brokers: { type: 'string' } };
const flags = readFlags(process.argv.slice(2), { options, usage: USAGE });
if (flags !== null) await runBroker(flags);

async function runBroker({ port: portText, 'data-dir': dataDir, brokers: countText = '1' }) {
  const reason = ownBrokerSkipReason();
  if (reason !== null) return fail(reason, 69);
  if (portText !== undefined && !(/^[0-9]{1,5}$/.test(portText) && Number(portText) <= 65_535)) {
    return fail(`--port ${portText} is not a port; give a number from 0 to 65535.`, 64);
  }
  const count = Number(countText);
  if (!/^[0-9]$/.test(countText) || count < 1 || count > BROKERS_MAX) {
    return fail(`--brokers ${countText} is not a number of brokers; give 1 to ${BROKERS_MAX}.`, 64);
  }
  const [port] = portText === undefined ? await freePorts('127.0.0.1', [USUAL_PORT]) : [Number(portText)];
  try {
    const where = { port, ...(dataDir !== undefined && { dataDir }) };
    const kafka = await (count === 1 ? startBroker({ ...where, isLasting: true }) : startBrokers({ ...where, count }));
    const stop = () => void kafka.stop().then(() => process.exit(0));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    introduce(kafka.brokers, dataDir);
  } catch (error) {
    fail(error.message, 69);
  }
}

function introduce(brokers, dataDir) {
  const kept = 'Ctrl-C ends it, and its data with it: npm run kafka -- --data-dir <folder> keeps them.';
  console.log(`kafka ready at ${brokers}`);
  console.log(`Give every tracker: --log kafka:${brokers}/cohort-commands`);
  console.log(dataDir === undefined ? kept : `Ctrl-C ends it; its data stays in ${dataDir}.`);
}

function fail(message, exitCode) {
  console.error(message);
  process.exitCode = exitCode;
}
