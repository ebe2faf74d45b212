/** The names under which definitions and feeds import the library. */
export const libraryNames: readonly string[] = ['fanfold', '@fanfold/definition']
