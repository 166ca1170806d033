// Owns the text of a checkpoint: a C2SP signed note (c2sp.org/signed-note) over a C2SP tlog-checkpoint with three extension
// lines, and a fourth when its tracker has a snapshot. One checkpoint has one text; a text that this file would not write is none.
//
//   note      = text newline signature
//   text      = origin newline size newline root newline digest newline rules newline build newline [snapshot newline]
//   origin    = "cohort/" logId:64*hex             size  = decimal, number of records from offset 0
//   root      = base64(32*u8)                      RFC 6962 root over those records
//   digest    = "digest " 64*hex                   effect digest after the last of them
//   rules     = "rules " decimal                   build = "build " 1*64 printable ASCII characters
//   snapshot  = "snapshot " decimal " " 64*hex     offset of the signer's newest snapshot, and its hash
//   signature = "— " origin " " base64(keyId:4*u8 signature:64*u8) newline      Ed25519 over text
import type { Checkpoint } from '#domain/checkpoint';

/** What a checkpoint's signer says of its own snapshot. It is no effect of the record: trackers compare it with theirs. */
export interface SnapshotClaim {
  /** Of the last record in it. */
  readonly offset: number;
  /** 64 lowercase hex characters, equal for equal states. */
  readonly hash: string;
}

/** Ed25519 signature of a note's text, 64 bytes, and the id of the key in four. */
export interface NoteSigner {
  readonly keyId: Uint8Array;
  readonly sign: (text: Uint8Array) => Uint8Array;
}

/** Whether the key is that of the expected signer, and the signature of the note's text is its own. */
export type VerifyNote = (signed: { text: Uint8Array; keyId: Uint8Array; signature: Uint8Array }) => boolean;

const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const ED25519 = 0x01;
const NEWLINE = 0x0a;
const NOTE = new RegExp(
  [
    '^cohort/(?<logId>[0-9a-f]{64})\\n(?<size>0|[1-9][0-9]{0,15})\\n(?<root>[A-Za-z0-9+/]{43}=)\\n',
    'digest (?<digest>[0-9a-f]{64})\\nrules (?<rules>0|[1-9][0-9]{0,15})\\nbuild (?<build>[!-~][ -~]{0,62}[!-~]|[!-~])\\n',
    '(?:snapshot (?<offset>0|[1-9][0-9]{0,15}) (?<hash>[0-9a-f]{64})\\n)?',
    '\\n— cohort/\\k<logId> (?<signature>[A-Za-z0-9+/]{91}=)\\n$',
  ].join(''),
);
const encoder = new TextEncoder();

/** The name of the log in its checkpoints, which is the name of its trackers' keys too. */
export function noteOrigin({ logId }: Pick<Checkpoint, 'logId'>): string {
  return `cohort/${logId}`;
}

/** The bytes whose SHA-256 begins with the id of an Ed25519 key (32 bytes) of that name. */
export function noteKeyBytes(name: string, publicKey: Uint8Array): Uint8Array {
  return Uint8Array.from([...encoder.encode(name), NEWLINE, ED25519, ...publicKey]);
}

/** The signed note of a checkpoint, with the signer's newest snapshot if there is one. */
export function sealCheckpointNote(
  checkpoint: Checkpoint,
  { keyId, sign }: NoteSigner,
  snapshot: SnapshotClaim | null = null,
): string {
  const text = noteText(checkpoint, snapshot);
  return noteOf(text, checkpoint, Uint8Array.from([...keyId, ...sign(encoder.encode(text))]));
}

/** What the signer of a note says of its snapshot; null for nothing, or for no note. Whether it is signed is not looked at. */
export function snapshotInNote(note: string): SnapshotClaim | null {
  const fields = NOTE.exec(note)?.groups;
  const hash = fields?.['hash'];
  return hash === undefined ? null : { offset: Number(fields!['offset']), hash };
}

/** The checkpoint in a note whose signature holds, or null. */
export function openCheckpointNote(note: string, verify: VerifyNote): Checkpoint | null {
  const fields = NOTE.exec(note)?.groups;
  if (fields === undefined) return null;
  const checkpoint = {
    logId: fields['logId']!,
    size: Number(fields['size']),
    root: Uint8Array.fromBase64(fields['root']!).toHex(),
    digest: fields['digest']!,
    rulesVersion: Number(fields['rules']),
    build: fields['build']!,
  };
  const signed = Uint8Array.fromBase64(fields['signature']!);
  const written = noteText(checkpoint, snapshotInNote(note));
  if (signed.length !== KEY_ID_BYTES + SIGNATURE_BYTES || noteOf(written, checkpoint, signed) !== note) return null;
  const text = encoder.encode(written);
  const holds = verify({ text, keyId: signed.subarray(0, KEY_ID_BYTES), signature: signed.subarray(KEY_ID_BYTES) });
  return holds ? checkpoint : null;
}

function noteOf(text: string, checkpoint: Checkpoint, signed: Uint8Array): string {
  return `${text}\n— ${noteOrigin(checkpoint)} ${signed.toBase64()}\n`;
}

function noteText(checkpoint: Checkpoint, snapshot: SnapshotClaim | null): string {
  const { size, root, digest, rulesVersion, build } = checkpoint;
  const lines = [
    noteOrigin(checkpoint),
    String(size),
    Uint8Array.fromHex(root).toBase64(),
    `digest ${digest}`,
    `rules ${rulesVersion}`,
    `build ${build}`,
    ...(snapshot === null ? [] : [`snapshot ${snapshot.offset} ${snapshot.hash}`]),
  ];
  return `${lines.join('\n')}\n`;
}
