import type { Readable, Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** How a file is packed, by its first bytes; for names that promise a packing and empty files by the name. */
export type Packing = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'zip' | 'tar';

const magics: readonly [Packing, number, string][] = [
  ['gzip', 0, '1f8b'],
  ['zstd', 0, '28b52ffd'],
  ['xz', 0, 'fd377a585a00'],
  ['bzip2', 0, '425a68'],
  ['zip', 0, '504b0304'],
  ['tar', 257, '7573746172'],
];

/** The packing of a file that begins with these bytes. */
export function packingOf(head: Buffer): Packing | undefined {
  return magics.find(([, at, magic]) => head.toString('hex', at, at + magic.length / 2) === magic)?.[0];
}

/** How to unpack in a pipe what is not unpacked here. */
export const pipes: Readonly<Partial<Record<Packing, string>>> = {
  xz: 'xz -dc',
  bzip2: 'bzip2 -dc',
  zip: 'unzip -p',
  tar: 'tar -xOf',
};

/**
 * Unpacks gzip and Zstandard. A damaged file gives what can be read; then `onDamage` is called with the reason.
 */
export async function* unpack(
  source: Readable,
  packing: 'gzip' | 'zstd',
  onDamage: (reason: string) => void,
): AsyncGenerator<Buffer> {
  const unpacked: Transform = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    yield* unpacked as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!/^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code ?? '')) throw error;
    onDamage((error as Error).message);
  } finally {
    source.destroy();
  }
}
