import { describeCommands, type DescribedCommand, type Parameter } from './describe-commands.ts';

const files = `.SH FILES
.TP
.I /etc/logloom/logloom.env
Settings of the service, and of the command line of those who may read the file.
.TP
.I /var/lib/logloom
The data of the service, readable for the user logloom only.
.TP
.I /usr/share/doc/logloom/docs
Every setting, metric and error code, backups, upgrades, runbooks.
.SH ENVIRONMENT
Settings come from the environment or a
.I .env
file; an option of a command overrides the setting of the same meaning.
.B logloom up \\-\\-help
lists the settings, and
.B logloom config
prints those in force.`;

/** logloom(1), in the macros of man(7), from the same declarations as docs/api/cli.md. `date` is shown at its foot. */
export function manualPage(date: Date): string {
  const { description, notes, commands } = describeCommands();
  return [
    `.TH LOGLOOM 1 ${date.toISOString().slice(0, 10)} Logloom "User Commands"`,
    `.SH NAME\nlogloom \\- ${plain(description.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS\n.B logloom\n.I command\n[options]',
    `.SH DESCRIPTION\n${plain(description)}\n.PP\n${preformatted(notes)}`,
    '.SH COMMANDS',
    ...commands.map(section),
    files,
    '.SH SEE ALSO\n.BR systemctl (1),\n.BR journalctl (1)\n',
  ].join('\n');
}

function section({ path, description, usage, arguments: args, options, notes }: DescribedCommand): string {
  const parts = [`.SS ${plain(path)}`, plain(description), '.PP', `.B ${plain(`${path} ${usage}`)}`];
  parts.push(...[...args, ...options].map(parameter));
  if (notes !== '') parts.push(`.PP\n${preformatted(notes)}`);
  return parts.join('\n');
}

function parameter({ syntax, meaning, choices, default: { text } }: Parameter): string {
  const oneOf = choices.length === 0 ? '' : ` (one of ${choices.join(', ')})`;
  const fallback = text === '' ? '' : ` [default: ${text}]`;
  return `.TP\n.B ${plain(syntax)}\n${plain(`${meaning}${oneOf}${fallback}`)}`;
}

function preformatted(text: string): string {
  return `.nf\n${text.split('\n').map(plain).join('\n')}\n.fi`;
}

/** Text that troff prints as it is: no escape, no request at the beginning of a line. */
function plain(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq');
  return escaped.replace(/^[.']/, '\\&$&');
}
