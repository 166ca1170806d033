// Owns the door of a server, whatever it speaks: who has a place there, and in which order those who come are let in. A
// connection waits until it has said something and its turn has come: one in each turn of the event loop, one network after the
// other, and of each network only a few that shake hands. Who comes a thousand times waits behind itself, who says nothing costs
// nothing but its place, and those who are inside are answered in between.
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { networkOf } from '#wire/host-port';
import { DoorPlaces, type DoorPlacesOptions } from './door-places.ts';

/** So many shake hands at a time, of one network and in all: what they answer may come in one turn. */
const SHAKING_OF_NETWORK_MAX = 2;
const SHAKING_MAX = 64;
/** Whoever takes longer is far away, or wants to be waited for. */
const SHAKING_TIMEOUT_MS = 250;
/** Networks whose last turns are remembered, and of those that wait so many are compared. */
const LAST_TURNS_MAX = 1_024;
const COMPARED_MAX = 64;

/** How many there is room for, and who is told of the others. */
export interface DoorOptions {
  /** For all connections, from the moment they come. */
  readonly places: DoorPlacesOptions<Socket>;
  /** For those that have not shown who they are; without it they need no place of their own, and no handshake is waited for. */
  readonly strangers?: DoorPlacesOptions<Socket>;
  /** How long a connection may take to say something, and then to be let in. */
  readonly silenceMs: number;
  /** Told of each connection that is sent away: there is no room, or it has waited for too long. */
  readonly sentAway: (why: 'no_room' | 'too_long') => void;
}

/** The connections of one network that are not inside yet. */
interface Line {
  /** Have said something. The newest is let in first: the oldest has given up soonest. */
  readonly waiting: Socket[];
  shakingCount: number;
}

/** The door of one server. Has to be made before the server listens, and after whoever serves its connections. */
export class Door {
  readonly #server: Server;
  /** Who serves connections, to be told of each when it is let in. */
  readonly #serving: readonly ((socket: Socket) => void)[];
  readonly #options: DoorOptions;
  readonly #places: DoorPlaces<Socket>;
  readonly #strangers: DoorPlaces<Socket> | null;
  readonly #lines = new Map<string, Line>();
  /** Networks of which somebody may be let in, in the order in which they came to be so. */
  readonly #turns = new Set<string>();
  /** When each network had its last turn, counted in turns; the latest is the last. */
  readonly #lastTurns = new Map<string, number>();
  #turnCount = 0;
  /** Those whom nobody serves yet. */
  readonly #outside = new Set<Socket>();
  /** Strangers that were let in just now, with the end of the time in which they count. */
  readonly #shaking = new Map<Socket, { readonly network: string; readonly timer: NodeJS.Timeout }>();
  /** Connections as they came, by address and port: TLS makes another socket of each. */
  readonly #accepted = new Map<string, Socket>();
  #isLettingIn = false;
  #isClosed = false;

  constructor(server: Server, options: DoorOptions) {
    this.#server = server;
    this.#options = options;
    this.#places = new DoorPlaces(options.places);
    this.#strangers = options.strangers === undefined ? null : new DoorPlaces(options.strangers);
    this.#serving = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection').on('connection', (socket: Socket) => this.#come(socket));
    // What shakes hands is closed by nobody else; from here on whoever serves it does.
    server.on('secureConnection', (socket: Socket) => this.#outside.delete(this.acceptedAs(socket)!));
  }

  /** Ends those whom nobody serves yet, now and from now on: the end of the server would wait for each of them. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#outside) socket.destroy();
  }

  /** The connection as it came that became this one. */
  acceptedAs(socket: Socket): Socket | undefined {
    return this.#accepted.get(remoteEndOf(socket));
  }

  /** It has shown who it is, and needs no place among strangers any more. */
  introduce(socket: Socket): void {
    const accepted = this.acceptedAs(socket);
    if (accepted === undefined) return;
    this.#strangers?.leave(accepted);
    this.#shook(accepted);
  }

  /** It has shown that it belongs here, and gives way to nobody from now on. */
  admit(socket: Socket): void {
    this.introduce(socket);
    const accepted = this.acceptedAs(socket);
    if (accepted !== undefined) this.#places.know(accepted);
  }

  #come(socket: Socket): void {
    const [remoteEnd, network] = [remoteEndOf(socket), networkOf(socket.remoteAddress ?? '')];
    this.#accepted.set(remoteEnd, socket);
    this.#outside.add(socket);
    socket.once('close', () => {
      this.#leave(socket);
      this.#outside.delete(socket);
      this.#waitNoLonger(socket, network);
      if (this.#accepted.get(remoteEnd) === socket) this.#accepted.delete(remoteEnd);
    });
    // What breaks off while it waits is the end of that connection; without a listener it would be the end of the process.
    socket.on('error', () => undefined);
    if (this.#isClosed) return void socket.destroy();
    for (const places of [this.#places, this.#strangers]) {
      if (places !== null && !this.#enter(places, socket, network)) return;
    }
    socket.setTimeout(this.#options.silenceMs).once('timeout', () => this.#waitedTooLong(socket));
    socket.once('readable', () => this.#said(socket, network));
  }

  #said(socket: Socket, network: string): void {
    // Its end, and nothing before.
    if (socket.readableLength === 0) socket.destroy();
    if (socket.destroyed) return;
    const line = this.#lines.get(network) ?? { waiting: [], shakingCount: 0 };
    this.#lines.set(network, line);
    line.waiting.push(socket);
    this.#expectTurnOf(network, line);
  }

  #expectTurnOf(network: string, { waiting, shakingCount }: Line): void {
    if (waiting.length > 0 && shakingCount < SHAKING_OF_NETWORK_MAX) this.#turns.add(network);
    else this.#turns.delete(network);
    if (this.#isLettingIn || this.#turns.size === 0 || this.#shaking.size >= SHAKING_MAX) return;
    this.#isLettingIn = true;
    setImmediate(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#isLettingIn = false;
    const network = this.#nextNetwork();
    const line = this.#lines.get(network);
    const socket = line?.waiting.pop();
    if (line === undefined || socket === undefined) return;
    // Others first, the next time.
    this.#turns.delete(network);
    this.#hadTurn(network);
    if (!this.#server.listening) socket.destroy();
    else if (!socket.destroyed) this.#letIn(socket, network);
    this.#expectTurnOf(network, line);
  }

  /** Whose last turn is the longest ago: who comes now and then does not wait for those who come again and again. */
  #nextNetwork(): string {
    let [next = ''] = this.#turns;
    let compared = 0;
    for (const network of this.#turns) {
      if (this.#lastTurnOf(network) < this.#lastTurnOf(next)) next = network;
      if (++compared === COMPARED_MAX) break;
    }
    return next;
  }

  #lastTurnOf(network: string): number {
    return this.#lastTurns.get(network) ?? 0;
  }

  #hadTurn(network: string): void {
    this.#turnCount += 1;
    this.#lastTurns.delete(network);
    this.#lastTurns.set(network, this.#turnCount);
    if (this.#lastTurns.size <= LAST_TURNS_MAX) return;
    const [longestAgo = ''] = this.#lastTurns.keys();
    this.#lastTurns.delete(longestAgo);
  }

  #letIn(socket: Socket, network: string): void {
    if (this.#strangers !== null) {
      this.#lines.get(network)!.shakingCount += 1;
      const timer = setTimeout(() => this.#shook(socket), SHAKING_TIMEOUT_MS).unref();
      this.#shaking.set(socket, { network, timer });
    }
    socket.setTimeout(0).removeAllListeners('timeout');
    for (const serve of this.#serving) serve.call(this.#server, socket);
    // TLS reads by itself what has come meanwhile, and serves nobody before hands are shaken.
    if (this.#server instanceof TlsServer) return;
    this.#outside.delete(socket);
    socket.resume();
  }

  /** It has shaken hands, or takes its time: the next one of its network may begin. */
  #shook(socket: Socket): void {
    const { network, timer } = this.#shaking.get(socket) ?? {};
    if (network === undefined) return;
    clearTimeout(timer);
    this.#shaking.delete(socket);
    const line = this.#lines.get(network)!;
    line.shakingCount -= 1;
    this.#expectTurnOf(network, line);
    this.#forgetIfEmpty(network, line);
  }

  #waitedTooLong(socket: Socket): void {
    this.#options.sentAway('too_long');
    socket.destroy();
  }

  #waitNoLonger(socket: Socket, network: string): void {
    const line = this.#lines.get(network);
    if (line === undefined) return;
    const at = line.waiting.indexOf(socket);
    if (at >= 0) line.waiting.splice(at, 1);
    this.#expectTurnOf(network, line);
    this.#forgetIfEmpty(network, line);
  }

  #forgetIfEmpty(network: string, { waiting, shakingCount }: Line): void {
    if (waiting.length === 0 && shakingCount === 0) this.#lines.delete(network);
  }

  /** Whether who comes has a place now; whoever has none any more is sent away, and counted once. */
  #enter(places: DoorPlaces<Socket>, socket: Socket, network: string): boolean {
    const leaving = places.enter(socket, network);
    if (leaving === null) return true;
    this.#leave(leaving);
    this.#options.sentAway('no_room');
    leaving.destroy();
    return leaving !== socket;
  }

  #leave(socket: Socket): void {
    this.#places.leave(socket);
    this.#strangers?.leave(socket);
    this.#shook(socket);
  }
}

function remoteEndOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
