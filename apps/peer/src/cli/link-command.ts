// Owns `cohort link`: the address of one file for a player, which can send no token.
import type { ContentLinkView } from '#wire/control-content';
import type { Invocation } from './invocation.ts';

export interface LinkFlags {
  readonly path?: string;
  readonly version?: number;
  readonly keep?: boolean;
}

/** link: what a player is given to show a file of a group, here or not. */
export async function printLink(
  invocation: Invocation,
  [group, file]: readonly [string, string],
  { path, version, keep }: LinkFlags,
): Promise<void> {
  const client = await invocation.client();
  const address = `/groups/${encodeURIComponent(group)}/files/${encodeURIComponent(file)}/content-link`;
  const asked = {
    ...(path !== undefined && { path }),
    ...(version !== undefined && { version }),
    ...(keep === true && { keep }),
  };
  const link = (await client.change('POST', address, asked)).body as ContentLinkView;
  invocation.show(link, () => `${link.url}\n`);
}
