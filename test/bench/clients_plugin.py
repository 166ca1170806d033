"""Cohort in a comparison of file sharing programs: whole systems of two trackers and as many peers as a scenario has, started and
driven as a user would, through the command line and the peers' HTTP endpoints. The comparing harness loads this file as a
plugin and gives it the run `r` (folders, ports, processes); `npm run bench:clients` says how."""
import os
import threading
import time

import bench

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COHORT = [os.environ.get('COHORT_NODE', 'node'), os.path.join(ROOT, 'infra', 'launcher', 'cohort.mjs')]
PASSWORD = 'comparison password'
GROUP = 'comparison'


class Peer:
    """A peer process with a user of the same name logged in."""

    def __init__(self, r, name, role, tracker_info, flags):
        self.name, self.data = name, r.mkdir(f'data-{name}')
        words = ['peer', f'127.0.0.1:{r.new_port()}', tracker_info, '--data-dir', self.data]
        r.proc(name, COHORT + words + ['--control', f'127.0.0.1:{r.new_port()}', '--workers', '2'] + flags, role)
        self.control = os.path.join(self.data, 'control.json')

    def enter(self, r):
        r.poll(lambda: os.path.exists(self.control), f'{self.name} to start')
        self.url = bench.json.load(open(self.control))['url']
        self.token = open(os.path.join(self.data, 'control-token')).read().strip()
        r.poll(self.reaches_tracker, f'{self.name} to reach a tracker')
        self.tell('create_user', user=self.name, password=PASSWORD)
        self.tell('login', user=self.name, password=PASSWORD)

    def reaches_tracker(self):
        return any(tracker['active'] for tracker in self.ask('GET', '/status')['trackers'])

    def tell(self, command, **body):
        return self.ask('POST', f'/commands/{command}', body)

    def ask(self, method, path, body=None):
        return bench.http(method, f'{self.url}/api/v1{path}', body, {'Authorization': f'Bearer {self.token}'}, timeout=180)


def start_trackers(r):
    folders = [r.mkdir(f'data-tracker{number}') for number in (1, 2)]
    lines = []
    for folder in folders:
        fingerprint = bench.subprocess.check_output(COHORT + ['keys', 'init', '--data-dir', folder], text=True).split()[-1]
        lines.append(f'127.0.0.1:{r.new_port()} {fingerprint}\n')
    tracker_info = os.path.join(r.dir, 'tracker_info.txt')
    with open(tracker_info, 'w') as file:
        file.writelines(lines)
    for number, folder in enumerate(folders, 1):
        r.proc(f'tracker{number}', COHORT + ['tracker', tracker_info, str(number), '--data-dir', folder], 'aux')
    for folder in folders:
        r.poll(lambda: os.path.exists(os.path.join(folder, 'http')), 'a tracker to start')
    return tracker_info


def share(r, seeders):
    first, *others = seeders
    path = os.path.join(r.seed_dir('files-0'), r.cfg.name)
    first.tell('upload_file', group=GROUP, path=path, wait=True)
    for number, seeder in enumerate(others, 1):
        path = os.path.join(r.seed_dir(f'files-{number}'), r.cfg.name)
        seeder.tell('seed_file', group=GROUP, file=r.cfg.name, path=path)
        r.poll(lambda: seeder.ask('GET', '/transfers')['items'][0]['state'] in ('seeding', 'complete'), 'a copy to be adopted')


def cohort(r, flags=()):
    tracker_info = start_trackers(r)
    seeders = [Peer(r, f'seeder{number}', 'seeder', tracker_info, list(flags)) for number in range(r.nseed)]
    leechers = [Peer(r, f'leecher{number}', 'leecher', tracker_info, list(flags)) for number in range(r.nleech)]
    owner, *members = seeders + leechers
    for peer in [owner, *members]:
        peer.enter(r)
    owner.tell('create_group', group=GROUP)
    for member in members:
        member.tell('join_group', group=GROUP)
        owner.tell('accept_request', group=GROUP, user=member.name)
    share(r, seeders)
    problems = []

    def fetch(peer, destination):
        try:
            peer.tell('download_file', group=GROUP, file=r.cfg.name, destination=destination, wait=True)
        except Exception as problem:
            problems.append(problem)

    threads = [
        threading.Thread(target=fetch, args=(peer, r.out(r.mkdir(f'files-of-{peer.name}')))) for peer in leechers
    ]
    time.sleep(0.5)
    r.begin()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    r.end()
    if problems:
        raise bench.Fail(f'a download failed: {problems[0]}')


@bench.adapter('cohort', 'TLS 1.3', 'SHA-1 pieces', note='two trackers on the embedded log, 2 workers a peer')
def encrypted(r):
    cohort(r)


@bench.adapter('cohort-plain', 'no', 'SHA-1 pieces', note='the same with --plain')
def plain(r):
    cohort(r, ['--plain'])
