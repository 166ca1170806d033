// The types of ports.mjs, which stays plain JavaScript.
/** Different ports on `host` that are free now, each the preferred one where that is free (0 prefers none). */
export function freePorts(host: string, preferred: readonly number[]): Promise<number[]>;
