// Owns images under the names of those that the project's own are made from and run beside, where none can be pulled: of the same
// Debian, with the Node at hand, the same libraries, and Kafka's own jars behind the wrapper that the official image starts. They lack
// what the project does not use. An image is made again when anything that it is made of has changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fetchJars } from '../../infra/kafka/broker.mjs';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import type { DockerDaemon } from './docker-daemon.ts';

const run = promisify(execFile);
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const DEBIAN = 'stand-in/debian:bookworm';
const KEY_LABEL = 'cohort.stand-in';
/** What the image for programs in C is made of, whole. */
const DISTROLESS = [
  'base-files',
  'libc6',
  'libgcc-s1',
  'libgomp1',
  'libssl3',
  'libstdc++6',
  'media-types',
  'netbase',
  'tzdata',
];

/** The names that stand-ins get. */
export interface StandInNames {
  readonly build: string;
  readonly runtime: string;
  readonly kafka: string;
}

/** Makes those that are missing. */
export async function makeStandIns(docker: DockerDaemon, names: StandInNames): Promise<void> {
  const key = await keyOfAll(names);
  if (await areMade(docker, { names, key })) return;
  const work = await mkdtemp(join(tmpdir(), 'cohort-stand-ins-'));
  try {
    const stage = new Stage(docker, { work, key });
    await stage.debian();
    await stage.build(names.build);
    await stage.runtime(names.runtime);
    await stage.kafka(names.kafka);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function areMade(docker: DockerDaemon, { names, key }: { names: StandInNames; key: string }): Promise<boolean> {
  const format = `{{index .Config.Labels "${KEY_LABEL}"}}`;
  const labels = Object.values(names).map((name) =>
    docker.run(['image', 'inspect', '--format', format, name]).catch(() => null),
  );
  return (await Promise.all(labels)).every((label) => label === key);
}

/** Of how they are made, and of what. */
async function keyOfAll(names: StandInNames): Promise<string> {
  const own = ['stand-ins.ts', 'kafka-run.sh', 'kafka-log4j2.yaml'].map((name) => join(import.meta.dirname, name));
  const files = [...own, join(ROOT, 'infra/kafka/pom.xml'), CERTIFICATES];
  const hash = createHash('sha256').update(JSON.stringify({ names, node: process.version }));
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex');
}

/** Where they are made, one after the other. */
class Stage {
  readonly #docker: DockerDaemon;
  readonly #work: string;
  readonly #key: string;

  constructor(docker: DockerDaemon, { work, key }: { work: string; key: string }) {
    this.#docker = docker;
    this.#work = work;
    this.#key = key;
  }

  /** A small Debian, as the official images have it below what is their own. */
  async debian(): Promise<void> {
    const archive = join(this.#work, 'debian.tar');
    const more = '--include=ca-certificates,libatomic1,libstdc++6';
    await run('mmdebstrap', ['--quiet', '--variant=essential', more, 'bookworm', archive]);
    await this.#docker.run(['import', archive, DEBIAN]);
  }

  /** Node and npm. */
  async build(name: string): Promise<void> {
    const folder = await this.#folder('build');
    const { stdout } = await run('npm', ['root', '--global']);
    await copyFile(process.execPath, join(folder, 'node'));
    await cp(join(stdout.trim(), 'npm'), join(folder, 'npm'), { recursive: true });
    await copyFile(CERTIFICATES, join(folder, 'certificates.crt'));
    await this.#image(name, {
      folder,
      instructions: [
        `FROM ${DEBIAN}`,
        `COPY certificates.crt ${CERTIFICATES}`,
        `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
        'COPY node /usr/local/bin/node',
        'COPY npm /usr/local/lib/node_modules/npm',
        'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
      ],
    });
  }

  /** Libraries and nothing that runs. */
  async runtime(name: string): Promise<void> {
    const folder = await this.#folder('runtime');
    await this.#unpack(DISTROLESS, join(folder, 'root'));
    const account = ':x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n';
    await writeFile(join(folder, 'root/etc/passwd'), `root:x:0:0:root:/root:/sbin/nologin\nnonroot${account}`);
    await mkdir(join(folder, 'root/etc/ssl/certs'), { recursive: true });
    await copyFile(CERTIFICATES, join(folder, 'root', CERTIFICATES));
    await this.#image(name, {
      folder,
      instructions: [
        'FROM scratch',
        'COPY root /',
        'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'USER 65532',
      ],
    });
  }

  /** Java, the jars, and a start that does what the official one does, in its places and as its user. */
  async kafka(name: string): Promise<void> {
    const folder = await this.#folder('kafka');
    const { stdout } = await run('apt-cache', ['depends', 'default-jre-headless']);
    await this.#unpack([/openjdk-\d+-jre-headless/.exec(stdout)![0]], join(folder, 'java'));
    await cp(await fetchJars(), join(folder, 'libs'), { recursive: true });
    await copyFile(fileURLToPath(new URL('kafka-run.sh', import.meta.url)), join(folder, 'run'));
    await chmod(join(folder, 'run'), 0o755);
    await copyFile(fileURLToPath(new URL('kafka-log4j2.yaml', import.meta.url)), join(folder, 'log4j2.yaml'));
    const owned = '/opt/kafka/config /opt/kafka/logs /var/lib/kafka/data /etc/kafka/secrets /mnt/shared/config';
    await this.#image(name, {
      folder,
      instructions: [
        `FROM ${DEBIAN}`,
        'COPY java /',
        'COPY libs /opt/kafka/libs',
        'RUN ln -s /usr/lib/jvm/java-[0-9][0-9]-openjdk-*/bin/java /usr/local/bin/java',
        'RUN echo appuser:x:1000:1000::/home/appuser:/bin/bash >> /etc/passwd && echo appuser:x:1000: >> /etc/group',
        `RUN mkdir -p ${owned} && chown 1000:1000 ${owned}`,
        'COPY run log4j2.yaml /etc/kafka/docker/',
        'RUN cp /etc/kafka/docker/log4j2.yaml /etc/kafka/docker/tools-log4j2.yaml',
        'USER appuser',
        'VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]',
        'CMD ["/etc/kafka/docker/run"]',
      ],
    });
  }

  async #folder(name: string): Promise<string> {
    const folder = join(this.#work, name);
    await mkdir(folder);
    return folder;
  }

  /** Debian's packages as they are, without what they would do when they are installed. */
  async #unpack(packages: readonly string[], root: string): Promise<void> {
    const folder = await mkdtemp(join(this.#work, 'packages-'));
    await chmod(folder, 0o777);
    await run('apt-get', ['download', '--quiet', ...packages], { cwd: folder });
    await mkdir(root);
    await run('sh', ['-c', 'for package in "$0"/*.deb; do dpkg-deb --extract "$package" "$1"; done', folder, root]);
    await rm(join(root, 'usr/share/doc'), { recursive: true, force: true });
    await rm(join(root, 'usr/share/man'), { recursive: true, force: true });
  }

  async #image(
    name: string,
    { folder, instructions }: { folder: string; instructions: readonly string[] },
  ): Promise<void> {
    await writeFile(join(folder, 'Dockerfile'), [...instructions, `LABEL ${KEY_LABEL}=${this.#key}`, ''].join('\n'));
    // Nothing is needed that the builder of the daemon itself cannot do, and plugins may be missing.
    await this.#docker.run(['build', '--tag', name, folder], { env: { DOCKER_BUILDKIT: '0' } });
  }
}
