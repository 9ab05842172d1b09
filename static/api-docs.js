// Draws the description of the API. Swagger UI knows the night by a class on <html> alone.

const root = document.documentElement;
const night = matchMedia("(prefers-color-scheme: dark)");

function drawTheme() {
  root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : night.matches);
}

night.addEventListener("change", drawTheme);
drawTheme();
SwaggerUIBundle({
  url: document.getElementById("swagger-ui").dataset.openapi,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
