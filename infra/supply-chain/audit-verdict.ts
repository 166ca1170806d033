// Owns what an audit of the packages comes to: which advisories nobody has answered.

/** As much of `npm audit --json` as is looked at. */
interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, { readonly via: readonly (string | Advisory)[] }>>;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly url: string;
}

/** One line for whoever reads it, and whether somebody has to do something. */
export interface AuditVerdict {
  readonly line: string;
  readonly isFailure: boolean;
}

/** `answers` is the text that has to name each advisory. */
export function auditVerdict(output: string, answers: string): AuditVerdict {
  const audit = parsed(output);
  if (audit?.vulnerabilities === undefined) {
    return { line: 'npm audit: the registry gave no answer; nothing is known either way', isFailure: false };
  }
  const advisories = Object.values(audit.vulnerabilities).flatMap(({ via }) =>
    via.filter((cause) => typeof cause !== 'string'),
  );
  const open = advisories.filter(({ url }) => !answers.includes(url.slice(url.lastIndexOf('/') + 1)));
  if (open.length > 0) {
    const named = open.map(({ name, title, url }) => `${name}: ${title} (${url.slice(url.lastIndexOf('/') + 1)})`);
    return { line: `npm audit: ${named.join('; ')}. Update, or answer it in SECURITY.md`, isFailure: true };
  }
  return { line: `npm audit: ${advisories.length} findings, all answered in SECURITY.md`, isFailure: false };
}

function parsed(output: string): Audit | null {
  try {
    return JSON.parse(output) as Audit;
  } catch {
    return null;
  }
}
