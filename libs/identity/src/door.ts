// Owns the door of a server, whatever it speaks: who has a place there, and in which order those who come are let in. A
// connection waits until it has said something and its turn has come: one in each turn of the event loop, one network after the
// other, and of each network only a few that shake hands. Who comes a thousand times waits behind itself, who says nothing costs
// nothing but its place, and those who are inside are answered in between. Who comes is only noted until nobody more comes: the
// system has them accepted one a turn, in the order in which they came, and whoever is behind a crowd waits for each of these turns.
import { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { networkOf } from '#wire/host-port';
import { DOOR_UNHEARD_MAX } from '#wire/limits';
import { DoorPlaces, type DoorPlacesOptions } from './door-places.ts';
import { DoorTurns } from './door-turns.ts';

/** So many shake hands at a time, of one network and in all: what they answer may come in one turn. */
const SHAKING_OF_NETWORK_MAX = 2;
const SHAKING_MAX = 64;
/** Whoever takes longer is far away, or wants to be waited for. */
const SHAKING_TIMEOUT_MS = 250;
/** The first byte of whoever begins to speak TLS: the type of its first record. */
const TLS_HANDSHAKE = 22;
/** So many bytes of what should be HTTP are looked at. */
const LOOKED_AT_BYTES = 8;
/**
 * So many begin to be heard in one turn: more than come meanwhile. How many is drawn, for the last of them is let in first: whoever came
 * in the rhythm of a crowd would always be another one.
 */
const HEARD_OF_TURN = { least: 3, most: 5 } as const;
/** While more come, somebody is let in after so many turns. */
const COMING_TURNS_MAX = 4;

/** How many there is room for, and who is told of the others. */
export interface DoorOptions {
  /** For all connections, from the moment that somebody begins to hear them. */
  readonly places: DoorPlacesOptions<Socket>;
  /** For those that have not shown who they are; without it they need no place of their own, and no handshake is waited for. */
  readonly strangers?: DoorPlacesOptions<Socket>;
  /** How long a connection may take to say something, and then to be let in. */
  readonly silenceMs: number;
  /** Told of each connection that is sent away: there is no room, it has waited for too long, or what it says is not what is spoken there. */
  readonly sentAway: (why: 'no_room' | 'too_long' | 'garbage') => void;
}

/** A connection, and how many came before it. */
interface Guest {
  readonly socket: Socket;
  readonly number: number;
}

/** The connections of one network that are not inside yet, in the order in which they came. */
interface Line {
  /** Have come, and have no place yet: nobody has to give way to more than can be heard. */
  readonly unheard: Guest[];
  /** Have said something. The newest is let in first: the oldest has given up soonest. */
  readonly waiting: Guest[];
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
  /** Networks of which somebody is unheard, and of which somebody may be let in. */
  readonly #hearing = new DoorTurns();
  readonly #lettingIn = new DoorTurns();
  /** Those whom nobody serves yet. */
  readonly #outside = new Set<Socket>();
  /** Strangers that were let in just now, with the end of the time in which they count. */
  readonly #shaking = new Map<Socket, { readonly network: string; readonly timer: NodeJS.Timeout }>();
  /** Connections as they came, by address and port: TLS makes another socket of each. */
  readonly #accepted = new Map<string, Socket>();
  #isTurnDue = false;
  /** Whether somebody came in this turn, and how many turns before it were like that while nobody was heard. */
  #hasCome = false;
  #comingTurns = 0;
  #unheardCount = 0;
  /** Networks of which somebody was heard as it came, since a turn in which others were. */
  readonly #heardAtOnce = new Set<string>();
  #guestCount = 0;
  #isClosed = false;

  constructor(server: Server, options: DoorOptions) {
    this.#server = server;
    this.#options = options;
    this.#places = new DoorPlaces(options.places);
    this.#strangers = options.strangers === undefined ? null : new DoorPlaces(options.strangers);
    pauseOnConnect(server, true);
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

  /** Whoever comes behind waits for this: nothing here may cost what can be done later. */
  #come(socket: Socket): void {
    // What breaks off while it waits is the end of that connection; without a listener it would be the end of the process.
    socket.on('error', ignore);
    if (this.#isClosed) return void socket.destroy();
    this.#hasCome = true;
    const network = networkOf(socket.remoteAddress ?? '');
    const guest = { socket, number: this.#guestCount++ };
    this.#outside.add(socket);
    // Of each network one: who is no crowd does not wait until a crowd is there. Of a network each is heard after those before it.
    const isBehind = this.#heardAtOnce.has(network) || (this.#lines.get(network)?.unheard.length ?? 0) > 0;
    if (isBehind) this.#putOff(guest, network);
    else this.#hear(guest, network);
    this.#heardAtOnce.add(network);
    this.#expectTurn();
  }

  #putOff(guest: Guest, network: string): void {
    this.#lineOf(network).unheard.push(guest);
    this.#unheardCount += 1;
    this.#hearing.expect(network, true);
  }

  #lineOf(network: string): Line {
    const line = this.#lines.get(network) ?? { unheard: [], waiting: [], shakingCount: 0 };
    this.#lines.set(network, line);
    return line;
  }

  #said(guest: Guest, network: string): void {
    const { socket, number } = guest;
    // Its end, and nothing before.
    if (socket.readableLength === 0) socket.destroy();
    if (socket.destroyed) return;
    if (!this.#mayBeSpoken(socket)) return this.#sendAway(socket, 'garbage');
    const line = this.#lineOf(network);
    line.waiting.splice(line.waiting.findLastIndex((other) => other.number < number) + 1, 0, guest);
    this.#expectToLetIn(network, line);
  }

  /**
   * To find out by a handshake, or by an answer, costs more than all else of a connection. Where HTTP is spoken text is answered, also
   * what is none, and so is TLS: somebody may read that answer, and nobody reads one to other bytes.
   */
  #mayBeSpoken(socket: Socket): boolean {
    const isHttp = this.#server instanceof HttpServer;
    if (!isHttp && !(this.#server instanceof TlsServer)) return true;
    // It would have more come, of which a parser that has refused the first part refuses each part again.
    if (isHttp && socket.readableLength >= socket.readableHighWaterMark) return true;
    const said = socket.read() as Buffer;
    socket.unshift(said);
    return said[0] === TLS_HANDSHAKE || (isHttp && isText(said.subarray(0, LOOKED_AT_BYTES)));
  }

  #expectToLetIn(network: string, { waiting, shakingCount }: Line): void {
    this.#lettingIn.expect(network, waiting.length > 0 && shakingCount < SHAKING_OF_NETWORK_MAX);
    this.#expectTurn();
  }

  #expectTurn(): void {
    const mayLetIn = !this.#lettingIn.isEmpty && this.#shaking.size < SHAKING_MAX;
    const isAnybodyHeard = this.#heardAtOnce.size > 0 || !this.#hearing.isEmpty;
    if (this.#isTurnDue || (!isAnybodyHeard && !mayLetIn)) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#isTurnDue = false;
    // Each turn of a crowd adds to one of them, from however many networks it comes.
    const isComing = this.#hasCome && this.#unheardCount + this.#heardAtOnce.size < DOOR_UNHEARD_MAX;
    this.#hasCome = false;
    this.#comingTurns = isComing ? this.#comingTurns + 1 : 0;
    if (this.#comingTurns % COMING_TURNS_MAX === 0 && this.#shaking.size < SHAKING_MAX) this.#letNextIn();
    if (!isComing) this.#hearSome();
    this.#expectTurn();
  }

  #hearSome(): void {
    this.#heardAtOnce.clear();
    const { least, most } = HEARD_OF_TURN;
    const count = least + Math.floor(Math.random() * (most - least + 1));
    for (let heard = 0; heard < count || this.#unheardCount > DOOR_UNHEARD_MAX; heard++) this.#hearNext();
  }

  #hearNext(): void {
    const network = this.#hearing.take();
    const line = network === null ? undefined : this.#lines.get(network);
    const guest = line?.unheard.shift();
    if (network === null || line === undefined || guest === undefined) return;
    this.#unheardCount -= 1;
    this.#hearing.expect(network, line.unheard.length > 0);
    this.#hear(guest, network);
    this.#forgetIfEmpty(network, line);
  }

  #hear(guest: Guest, network: string): void {
    const { socket } = guest;
    if (socket.destroyed) return void this.#outside.delete(socket);
    socket.once('close', () => {
      this.#leave(socket);
      this.#outside.delete(socket);
      this.#waitNoLonger(socket, network);
    });
    for (const places of [this.#places, this.#strangers]) {
      if (places !== null && !this.#enter(places, socket, network)) return;
    }
    socket.setTimeout(this.#options.silenceMs).once('timeout', () => this.#sendAway(socket, 'too_long'));
    socket.once('readable', () => this.#said(guest, network));
  }

  #letNextIn(): void {
    const network = this.#lettingIn.take();
    const line = network === null ? undefined : this.#lines.get(network);
    const { socket } = line?.waiting.pop() ?? {};
    if (network === null || line === undefined || socket === undefined) return;
    if (!this.#server.listening) socket.destroy();
    else if (!socket.destroyed) this.#letIn(socket, network);
    this.#expectToLetIn(network, line);
    this.#forgetIfEmpty(network, line);
  }

  #letIn(socket: Socket, network: string): void {
    if (this.#strangers !== null) {
      this.#lines.get(network)!.shakingCount += 1;
      const timer = setTimeout(() => this.#shook(socket), SHAKING_TIMEOUT_MS).unref();
      this.#shaking.set(socket, { network, timer });
    }
    socket.setTimeout(0).removeAllListeners('timeout');
    const remoteEnd = remoteEndOf(socket);
    this.#accepted.set(remoteEnd, socket);
    socket.once('close', () => {
      if (this.#accepted.get(remoteEnd) === socket) this.#accepted.delete(remoteEnd);
    });
    pauseOnConnect(this.#server, false);
    for (const serve of this.#serving) serve.call(this.#server, socket);
    pauseOnConnect(this.#server, true);
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
    this.#expectToLetIn(network, line);
    this.#forgetIfEmpty(network, line);
  }

  #sendAway(socket: Socket, why: 'too_long' | 'garbage'): void {
    this.#options.sentAway(why);
    socket.destroy();
  }

  #waitNoLonger(socket: Socket, network: string): void {
    const line = this.#lines.get(network);
    if (line === undefined) return;
    const at = line.waiting.findIndex((guest) => guest.socket === socket);
    if (at >= 0) line.waiting.splice(at, 1);
    this.#expectToLetIn(network, line);
    this.#forgetIfEmpty(network, line);
  }

  #forgetIfEmpty(network: string, { unheard, waiting, shakingCount }: Line): void {
    if (unheard.length === 0 && waiting.length === 0 && shakingCount === 0) this.#lines.delete(network);
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

function isText(bytes: Buffer): boolean {
  return /^[\t\r\n\x20-\x7e]*$/.test(bytes.toString('latin1'));
}

function ignore(): void {}

/** Whether nothing is read of a connection before somebody asks for it: Node's servers have this as an option, and HTTP's hides it. */
function pauseOnConnect(server: Server, isPaused: boolean): void {
  Object.assign(server, { pauseOnConnect: isPaused });
}
