export { storageErrors } from './errors.ts';
export { DamageNote, type DamagedFile } from './damage-note.ts';
export { nameFile, withFileNamed } from './name-file.ts';
export { openDatabase, pragma } from './open-database.ts';
export { isBusy, resultCode } from './result-code.ts';
export { openingTrouble, storageTrouble, type StorageTrouble } from './storage-trouble.ts';
export { isDamaged, setAside, setAsideIfDamaged } from './set-aside.ts';
export { checkFile } from './check-file.ts';
