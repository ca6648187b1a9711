import { createCli } from '../../apps/logloom/src/cli.ts';

type Command = ReturnType<typeof createCli>;
type Option = Command['options'][number];
type Argument = Command['registeredArguments'][number];

const introduction = `# Command line

<!-- Made by \`npm run docs\` from the declarations in apps/logloom/src: change them, not this page. -->

\`npm run logloom -- <command>\` in a clone; \`npm start\` is \`logloom up\`. Settings come from the environment or a \`.env\` file, and an option
of a command overrides the setting of the same meaning.`;

/** docs/api/cli.md: every command with its arguments, options and exit codes. */
export function cliPage(): string {
  const program = createCli({
    env: {},
    signal: new AbortController().signal,
    write: () => {},
    note: () => {},
  });
  const commands = allCommands(program);
  const list = commands.map(
    ({ path, command }) => `| [\`${path}\`](#${anchorOf(path)}) | ${cell(command.description())} |`,
  );
  return [
    introduction,
    helpAfter(program),
    `| command | what it does |\n| --- | --- |\n${list.join('\n')}`,
    ...commands.flatMap(({ path, command }) => commandSection(path, command)),
  ].join('\n\n');
}

function allCommands(parent: Command, prefix = parent.name()): { path: string; command: Command }[] {
  return parent.commands.flatMap((command) => {
    const path = `${prefix} ${command.name()}`;
    return [{ path, command }, ...allCommands(command, path)];
  });
}

function commandSection(path: string, command: Command): string[] {
  const { registeredArguments, options } = command;
  const parts = [
    `## ${path}`,
    `${sentence(command.description())}`,
    `\`\`\`text\n${path} ${command.usage()}\n\`\`\``,
  ];
  if (registeredArguments.length > 0)
    parts.push(table(['argument', 'meaning', 'default'], registeredArguments.map(argumentRow)));
  const shown = options.filter((option) => !option.hidden);
  if (shown.length > 0) parts.push(table(['option', 'meaning', 'default'], shown.map(optionRow)));
  const after = helpAfter(command);
  if (after !== '') parts.push(after);
  return parts;
}

function argumentRow(argument: Argument): string[] {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return [
    `\`${argument.required ? `<${name}>` : `[${name}]`}\``,
    argument.description,
    defaultText(argument.defaultValue, argument.defaultValueDescription),
  ];
}

function optionRow({
  flags,
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string[] {
  const choices = argChoices === undefined ? '' : ` (one of ${argChoices.map((c) => `\`${c}\``).join(', ')})`;
  return [`\`${flags}\``, `${description}${choices}`, defaultText(defaultValue, defaultValueDescription)];
}

function defaultText(value: unknown, description: string | undefined): string {
  if (description !== undefined) return description;
  if (value === undefined || value === false || value === true || value === '') return '';
  if (value === Infinity) return 'no limit';
  const texts = [value].flat().map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  return `\`${texts.join(', ')}\``;
}

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** What a command's help says after the options; the list of settings has a page of its own. */
function helpAfter(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => void (help += text) });
  command.outputHelp();
  const after = help.slice(command.helpInformation().length);
  return after.split('\nSettings, from the environment')[0]!.trim().replaceAll('<', '\\<');
}

/** As GitHub names the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}
