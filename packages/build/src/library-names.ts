/** The names under which definitions import the library. */
export const libraryNames: readonly string[] = ['fanfold', '@fanfold/definition']
