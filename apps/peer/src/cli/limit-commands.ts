// Owns `limits`: what this peer is limited to, as a table, and changing one limit while the others stay.
import { InvalidArgumentError } from 'commander';
import type { LimitsBody, RateLimitsBody } from '#wire/control-limits';
import { formatByteRate, parseByteRate, parseTransferCount } from '#wire/limit-text';
import type { Invocation } from './invocation.ts';
import { type Column, renderTable } from '#wire/text-table';

/** A limit as it was typed, null for none; wrapped, because commander makes an empty text of null. */
export interface TypedLimit {
  readonly limit: number | null;
}

/** Flags of `limits`, read; what is left out stays as it is. */
export interface LimitFlags {
  readonly upload?: TypedLimit;
  readonly download?: TypedLimit;
  readonly active?: TypedLimit;
  readonly group?: string;
}

type LimitedItem = RateLimitsBody & { readonly what: string };

const LIMIT_COLUMNS: readonly Column<LimitedItem>[] = [
  { heading: 'LIMITS OF', text: ({ what }) => what },
  { heading: 'UPLOAD', text: ({ uploadBytesPerSecond }) => formatByteRate(uploadBytesPerSecond), align: 'right' },
  { heading: 'DOWNLOAD', text: ({ downloadBytesPerSecond }) => formatByteRate(downloadBytesPerSecond), align: 'right' },
];

/** A rate as it is typed. Throws InvalidArgumentError. */
export function typedRate(text: string): TypedLimit {
  const parsed = parseByteRate(text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.message);
  return { limit: parsed.bytesPerSecond };
}

/** A number of transfers as it is typed. Throws InvalidArgumentError. */
export function typedCount(text: string): TypedLimit {
  const parsed = parseTransferCount(text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.message);
  return { limit: parsed.count };
}

/** limits: shows them, changed first when flags say so. */
export async function showLimits(invocation: Invocation, flags: LimitFlags): Promise<void> {
  const client = await invocation.client();
  const before = await client.view<LimitsBody>('/limits');
  const wanted = changedLimits(before, flags);
  const limits = wanted === before ? before : ((await client.change('PUT', '/limits', wanted)).body as LimitsBody);
  invocation.show(limits, () => inWords(limits));
}

function changedLimits(before: LimitsBody, { upload, download, active, group }: LimitFlags): LimitsBody {
  const rates = {
    ...(upload !== undefined && { uploadBytesPerSecond: upload.limit }),
    ...(download !== undefined && { downloadBytesPerSecond: download.limit }),
  };
  const counted = active === undefined ? before : { ...before, activeTransfers: active.limit };
  if (Object.keys(rates).length === 0) return counted;
  if (group === undefined) return { ...counted, ...rates };
  const name = group.normalize('NFC');
  const none = { group: name, uploadBytesPerSecond: null, downloadBytesPerSecond: null };
  const known = before.groups.find((each) => each.group === name) ?? none;
  const others = before.groups.filter((each) => each.group !== name);
  return { ...counted, groups: [...others, { ...known, ...rates }] };
}

function inWords({ uploadBytesPerSecond, downloadBytesPerSecond, activeTransfers, groups }: LimitsBody): string {
  const items = [
    { what: 'everything', uploadBytesPerSecond, downloadBytesPerSecond },
    ...groups.map(({ group, ...rates }) => ({ what: `group ${group}`, ...rates })),
  ];
  return `${renderTable(items, LIMIT_COLUMNS, '')}\nactive transfers  ${activeTransfers ?? 'none'}\n`;
}
