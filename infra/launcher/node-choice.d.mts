// Types of node-choice.mjs, which stays JavaScript so that an old Node can read it.
export const NODE_MAJOR_MIN: number;
export function chooseNode(
  root: string,
  runtime?: {
    readonly versions: { readonly node: string };
    readonly execPath: string;
    readonly platform: string;
    readonly arch: string;
  },
): { path: string; problem?: undefined } | { problem: string; path?: undefined };
