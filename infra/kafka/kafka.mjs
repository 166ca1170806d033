// `npm run kafka [-- --port N] [-- --data-dir D]`: a real Kafka broker on loopback until SIGINT or SIGTERM.
import { parseArgs } from 'node:util';
import { ownBrokerSkipReason, startBroker } from './broker.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' }, 'data-dir': { type: 'string' } } });
const port = Number(values.port ?? 0);
const reason = ownBrokerSkipReason();
if (reason !== null || !Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(reason ?? `--port ${values.port} is not a port; give a number from 0 to 65535.`);
  process.exit(reason === null ? 64 : 69);
}
const broker = await startBroker({ port, ...(values['data-dir'] !== undefined && { dataDir: values['data-dir'] }) });
console.log(`kafka ready at ${broker.brokers}`);
const stop = () => void broker.stop().then(() => process.exit(0));
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
