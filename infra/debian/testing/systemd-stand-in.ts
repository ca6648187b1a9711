import type { ChildProcess } from 'node:child_process';
import { environmentOf, parseUnit } from '../../systemd/unit-file.ts';
import type { AlternativeRoot } from './alternative-root.ts';

/**
 * systemctl for a root without systemd as process 1: what concerns files only is left to the real one. It stops the process of /run/logloom.pid as the unit says, knows whether it runs, and
 * writes down what it was asked.
 */
const systemctl = `#!/bin/sh
case "$*" in *--root=*) exec /usr/bin/systemctl.real "$@" ;; esac
echo "$*" >>/run/systemctl.log
running() { [ -e /run/logloom.pid ] && kill -0 "$(cat /run/logloom.pid)" 2>/dev/null; }
case "$*" in
  *list-units*) if running; then echo 'logloom.service loaded active running Logloom'; fi ;;
  *is-enabled*) [ -e /etc/systemd/system/multi-user.target.wants/logloom.service ] && echo enabled || { echo disabled; exit 1; } ;;
  *is-active*) running ;;
  *stop*) kill "$(cat /run/logloom.pid)"; while running; do sleep 0.1; done ;;
esac
`;

/** Lets the package's scripts find a systemd in the root. */
export async function installSystemdStandIn(root: AlternativeRoot): Promise<void> {
  await root.run(`rm -f /usr/sbin/policy-rc.d
mkdir -p /run/systemd/system
mv /usr/bin/systemctl /usr/bin/systemctl.real
cat >/usr/bin/systemctl <<'SCRIPT'
${systemctl}SCRIPT
chmod 755 /usr/bin/systemctl`);
}

/** What systemctl was asked since the last call. */
export async function askedOfSystemd(root: AlternativeRoot): Promise<string[]> {
  const asked = await root.run('cat /run/systemctl.log; rm /run/systemctl.log');
  return asked.trim().split('\n');
}

/**
 * Starts the installed logloom.service as systemd would: the user, its state folder as the only one that can be written, a /tmp of its own,
 * no capabilities, the environment and the settings' file. Limits and the filter of system calls are left out.
 */
export async function startUnit(
  root: AlternativeRoot,
): Promise<{ process: ChildProcess; errors: () => string }> {
  const unit = parseUnit(await root.run('cat /usr/lib/systemd/system/logloom.service'));
  const service = unit['Service']!;
  const only = (name: string): string => {
    const values = service[name] ?? [];
    if (values.length !== 1) throw new Error(`the unit has ${values.length} lines ${name}=`);
    return values[0]!;
  };
  const state = `/var/lib/${only('StateDirectory')}`;
  const file = await root.run(`cat ${only('EnvironmentFile').replace(/^-/, '')}`);
  const settings = file.split('\n').filter((line) => /^\w+=/.test(line));
  const [user, group] = [only('User'), only('Group')];
  await root.run(`install -d -o ${user} -g ${group} -m ${only('StateDirectoryMode')} ${state}`);
  const setUp = `mount --rbind "$root" "$root"
mount --bind "$root${state}" "$root${state}"
mount -t tmpfs logloom "$root/tmp"
mount -o remount,bind,ro "$root"`;
  const privileges = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'];
  const environment = Object.entries(environmentOf(unit)).map(([name, value]) => `${name}=${value}`);
  const process = root.start(setUp, [
    ...['setpriv', `--reuid=${user}`, `--regid=${group}`, '--init-groups', ...privileges],
    ...['env', '-i', 'PATH=/usr/sbin:/usr/bin', ...environment, ...settings],
    ...['sh', '-c', `umask ${only('UMask')}; cd ${only('WorkingDirectory')}; exec ${only('ExecStart')}`],
  ]);
  let errors = '';
  process.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  await root.run(`echo ${process.pid} >/run/logloom.pid`);
  return { process, errors: () => errors };
}
