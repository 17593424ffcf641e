/** Types of what TypeScript takes from adapters.mjs. */
export interface AdapterEnvironment {
  readonly name: string;
}
/** Every environment that may work on this machine; nothing is tried yet. */
export function candidates(): readonly AdapterEnvironment[];
export function childEnvironment(environment: AdapterEnvironment): NodeJS.ProcessEnv;
