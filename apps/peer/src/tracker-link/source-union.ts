// Owns what several trackers know of the sources of one share, put together.
import type { SourcesView, SourceView } from '#wire/tracker-api';

/** The sources of all views, each peer once with every address, and the grant that lasts longest. */
export function unionOf(newest: SourcesView, views: readonly SourcesView[]): SourcesView {
  const sources = new Map<string, SourceView>();
  for (const source of views.flatMap((view) => view.sources)) {
    const known = sources.get(source.peerId);
    const addresses = [...new Set([...(known?.addresses ?? []), ...source.addresses])];
    sources.set(source.peerId, { ...source, ...known, addresses });
  }
  const longest = views.reduce((left, right) =>
    (right.grantExpiresAtMs ?? 0) > (left.grantExpiresAtMs ?? 0) ? right : left,
  );
  const { grant, grantExpiresAtMs } = longest;
  return { share: newest.share, sources: [...sources.values()], grant, grantExpiresAtMs };
}
