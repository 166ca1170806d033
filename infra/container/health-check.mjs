// Owns the health check of a container: asks one address, and ends with 0 when the answer is that all is well. What it prints
// is what `docker inspect` shows of a container that is not.
import { get } from 'node:http';

const TIMEOUT_MS = 4_000;
const [url] = process.argv.slice(2);

const request = get(url, { timeout: TIMEOUT_MS, agent: false }, (response) => {
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (chunk) => (text += chunk));
  response.on('end', () => end(response.statusCode === 200, `${response.statusCode} ${text}`));
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on('error', ({ message }) => end(false, message));

function end(isWell, words) {
  process.stdout.write(`${url}: ${words}\n`);
  process.exitCode = isWell ? 0 : 1;
}
