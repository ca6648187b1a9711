/** Something that an engine needs is not on this machine. The message starts with `engine missing: ` and says what to install. */
export class MissingPrerequisite extends Error {
  constructor(engine: string, what: string, install: string) {
    super(`engine missing: ${engine} needs ${what} (${install})`);
    this.name = 'MissingPrerequisite';
  }
}
