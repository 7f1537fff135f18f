/** A plugin of typedoc: an option without a docstring is an error, like an exported name without one. */

import { Application, ReflectionKind } from "typedoc";

export function load(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const property of project.getReflectionsByKind(ReflectionKind.Property)) {
      const { parent } = property;
      const isOption = parent?.kind === ReflectionKind.Interface && /(Options|Definition)$/.test(parent.name);
      if (isOption && !property.hasComment()) {
        app.logger.validationWarning(`${property.getFullName()}: the option has no docstring`);
      }
    }
  });
}
