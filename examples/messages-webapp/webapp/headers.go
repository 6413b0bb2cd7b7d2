package webapp

import (
	"net/http"
	"strings"
)

// withSecurityHeaders allows pages what they need and nothing else: no script at all, styles and pictures of our own, no frame around them, nothing kept.
func (a *App) withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+
			strings.Join(a.formTargets(), " "))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// Not no-referrer: under it browsers hide the Origin of our own forms, which tells a cross-site post.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// formTargets are the origins that a form's answer may lead to. Browsers hold redirects to them too, so Logout needs the issuer's.
func (a *App) formTargets() []string {
	targets := []string{"'self'", originOf(a.provider.issuer)}
	if m, ok := a.provider.metadata.known(); ok && m.EndSession != "" && originOf(m.EndSession) != targets[1] {
		targets = append(targets, originOf(m.EndSession))
	}
	return targets
}

// onOneName sends browsers on this machine to the name that the base URL has: sign-in leads there, and cookies of 127.0.0.1 are not those of localhost.
func (a *App) onOneName(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if safe && !strings.EqualFold(r.Host, a.base.Host) && loopback(a.base.Hostname()) && loopback(hostname(r.Host)) {
			to := *a.base
			to.Path, to.RawPath, to.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
			http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// crossSite answers a post that another site's page made the browser send.
func (a *App) crossSite(w http.ResponseWriter, r *http.Request) {
	a.logger.Warn("a cross-site post was refused", "path", clip(r.URL.Path), "origin", clip(r.Header.Get("Origin")))
	a.errorPage(w, r, http.StatusForbidden, "This came from another site",
		"Another website tried to do something here in your name. It was refused, and nothing was changed.")
}
