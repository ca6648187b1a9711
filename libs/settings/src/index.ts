export { loadEnvironment, loadSettings } from './load-settings.ts';
export { SettingsError } from './settings-error.ts';
export { describeSettings, parseSettings, type Settings } from './settings.ts';
