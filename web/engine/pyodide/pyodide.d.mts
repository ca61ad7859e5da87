// Of the package, which the build puts beside boot.mjs, what is used here.
export const version: string;
export function loadPyodide(options: object): Promise<any>;
