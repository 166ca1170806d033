// Owns proving who is at each end of a connection: by the TLS key, or without TLS by a signature over both sides' nonces
// and keys. Nothing else is said before it is settled.
import { type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ed25519KeyOf, idOfPublicKey } from '#identity/identity';
import { idOfSocket } from '#identity/tls';
import { type HelloFrame, NONCE_BYTES, proofMessage, TRANSFER_VERSION } from '#wire/transfer-frame';

/** This side of every connection of a worker. */
export interface LocalPeer {
  readonly peerId: string;
  readonly lane: number;
  readonly laneCount: number;
  readonly privateKey: KeyObject;
  readonly publicKeyDer: Uint8Array;
  readonly plain: boolean;
}

/** The first frame of a connection. */
export function newHello(local: LocalPeer): HelloFrame {
  return {
    kind: 'hello',
    version: TRANSFER_VERSION,
    lane: local.lane,
    laneCount: local.laneCount,
    nonce: randomBytes(NONCE_BYTES),
    key: local.plain ? local.publicKeyDer : new Uint8Array(0),
  };
}

/** Who the other side says it is: by its TLS key, which TLS has proved, or by its hello, still to be proved. */
export function claimedPeerId(socket: Socket, hello: HelloFrame): string | null {
  if (socket instanceof TLSSocket) return idOfSocket(socket);
  return hello.key.length === 0 ? null : idOfPublicKey(hello.key);
}

/** The signature that proves this side's key in this conversation. */
export function signProof(
  local: LocalPeer,
  side: 'dialler' | 'listener',
  hellos: { readonly dialler: HelloFrame; readonly listener: HelloFrame },
): Uint8Array {
  return sign(null, proofMessage(side, hellos.dialler, hellos.listener), local.privateKey);
}

/** Whether a signature proves the key of that side's hello. */
export function isProved(
  signature: Uint8Array,
  side: 'dialler' | 'listener',
  hellos: { readonly dialler: HelloFrame; readonly listener: HelloFrame },
): boolean {
  const key = ed25519KeyOf(hellos[side].key);
  return key !== null && verify(null, proofMessage(side, hellos.dialler, hellos.listener), key, signature);
}
