import { statfsSync } from 'node:fs';

/** Reserved for the views of accepted events and for retention: deleting needs space too. */
const mostReserve = 64 * 2 ** 20;
const reserveShare = 0.02;

/** The data folder, and how much of its disk is kept free. */
export interface DataFolder {
  folder: string;
  /** DISK_RESERVE_BYTES. */
  reserveBytes: number | undefined;
}

/** In bytes. */
export interface DiskRoom {
  /** 0: the file system does not say. */
  size: number;
  free: number;
  /** With less free than this the disk counts as full. */
  reserve: number;
}

/** The room on the disk of a folder. Throws the file system's error. */
export function roomOn({ folder, reserveBytes }: DataFolder): DiskRoom {
  const { bavail, blocks, bsize } = statfsSync(folder);
  const size = blocks * bsize;
  const reserve = reserveBytes ?? Math.floor(Math.min(mostReserve, size * reserveShare));
  return { size, free: bavail * bsize, reserve };
}
