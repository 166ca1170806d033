// Owns ending a connection so that what was said last arrives. Closing a socket with unread bytes makes the system reset it,
// and a reset takes away what the other side has not read yet: so it is only half closed until the other side closes too.
import type { Socket } from 'node:net';

const LINGER_MS = 10_000;

/** Says no more, passes over what still comes, and closes for good when the other side does, or after ten seconds. */
export function closeGently(socket: Socket): void {
  if (socket.connecting) return void socket.destroy();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
}
