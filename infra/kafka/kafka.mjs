// Owns `npm run kafka`: a real Kafka broker on loopback until Ctrl-C, on the port that its clients expect where that is free.
import { readFlags } from '../launcher/flags.mjs';
import { freePorts } from '../quick-start/ports.mjs';
import { ownBrokerSkipReason, startBroker } from './broker.mjs';

const USUAL_PORT = 9092;
const USAGE = `npm run kafka -- [--port <n>] [--data-dir <folder>]
  --port <n>           where it listens, 0 for any free port (${USUAL_PORT}, or a free one when that is taken)
  --data-dir <folder>  where its data stays (without it: nowhere, the data ends with the broker)`;

const options = { port: { type: 'string' }, 'data-dir': { type: 'string' } };
const flags = readFlags(process.argv.slice(2), { options, usage: USAGE });
if (flags !== null) await runBroker(flags);

async function runBroker({ port: portText, 'data-dir': dataDir }) {
  const reason = ownBrokerSkipReason();
  if (reason !== null) return fail(reason, 69);
  if (portText !== undefined && !(/^[0-9]{1,5}$/.test(portText) && Number(portText) <= 65_535)) {
    return fail(`--port ${portText} is not a port; give a number from 0 to 65535.`, 64);
  }
  const [port] = portText === undefined ? await freePorts('127.0.0.1', [USUAL_PORT]) : [Number(portText)];
  try {
    const broker = await startBroker({ port, ...(dataDir !== undefined && { dataDir }) });
    const stop = () => void broker.stop().then(() => process.exit(0));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    introduce(broker.brokers, dataDir);
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
