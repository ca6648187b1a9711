export { loadEnvironment, loadSettings } from './load-settings.ts';
export { describeSettings, parseSettings, SettingsError, type Settings } from './settings.ts';
