import { describeCommands, type DescribedCommand, type Parameter } from './describe-commands.ts';

const introduction = `# Command line

<!-- Made by \`npm run docs\` from the declarations in apps/logloom/src: change them, not this page. -->

\`npm run logloom -- <command>\` in a clone; \`npm start\` is \`logloom up\`. Settings come from the environment or a \`.env\` file, and an option
of a command overrides the setting of the same meaning.`;

/** docs/api/cli.md: every command with its arguments, options and exit codes. */
export function cliPage(): string {
  const { notes, commands } = describeCommands();
  const list = commands.map(
    ({ path, description }) => `| [\`${path}\`](#${anchorOf(path)}) | ${cell(description)} |`,
  );
  return [
    introduction,
    escapeTags(notes),
    `| command | what it does |\n| --- | --- |\n${list.join('\n')}`,
    ...commands.flatMap(commandSection),
  ].join('\n\n');
}

function commandSection(command: DescribedCommand): string[] {
  const { path } = command;
  const parts = [
    `## ${path}`,
    `${sentence(command.description)}`,
    `\`\`\`text\n${path} ${command.usage}\n\`\`\``,
  ];
  if (command.arguments.length > 0)
    parts.push(table(['argument', 'meaning', 'default'], command.arguments.map(row)));
  if (command.options.length > 0)
    parts.push(table(['option', 'meaning', 'default'], command.options.map(row)));
  if (command.notes !== '') parts.push(escapeTags(command.notes));
  return parts;
}

function row({ syntax, meaning, choices, default: { text, literal } }: Parameter): string[] {
  const oneOf = choices.length === 0 ? '' : ` (one of ${choices.map((c) => `\`${c}\``).join(', ')})`;
  return [`\`${syntax}\``, `${meaning}${oneOf}`, literal ? `\`${text}\`` : text];
}

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function escapeTags(text: string): string {
  return text.replaceAll('<', '\\<');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** As GitHub names the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}
