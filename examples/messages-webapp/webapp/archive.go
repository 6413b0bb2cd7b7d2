package webapp

import (
	"errors"
	"fmt"
	"net/http"
)

// archiveMessages asks archival-service to archive, with the token of the person who pressed the button. It does not ask first who that is: the service
// decides, so a forged post gets exactly what its sender may do.
func (a *App) archiveMessages(w http.ResponseWriter, r *http.Request) {
	s := a.sessionOrNew(w, r)
	if s.person == nil {
		backHome(w, r, s, failed, "You are not signed in, or your session is over. Nothing was archived: log in first.")
		return
	}
	const nothing = "Nothing was archived."
	status, err := a.callAs(r.Context(), s.person, a.archive, "", nil)
	switch {
	case err != nil:
		a.logger.Error("Error while invoking Archive messages API", "error", err)
	case status/100 == 2:
		a.logger.Info(fmt.Sprintf("Archive messages response code: %d %s", status, http.StatusText(status)))
	default:
		a.logger.Warn(fmt.Sprintf("Archive messages response code: %d %s", status, http.StatusText(status)))
	}
	switch {
	case errors.Is(err, errSessionOver):
		backHome(w, r, a.endSession(w, s), failed, "Your session is over. Nothing was archived: log in again.")
	case err == nil && status/100 == 2:
		backHome(w, r, s, done, "All messages are archived.")
	case err == nil && status == http.StatusForbidden:
		backHome(w, r, s, failed, "You may not archive messages: you lack the role ADMIN. "+nothing)
	case err == nil && status == http.StatusBadGateway:
		backHome(w, r, s, failed, "archival-service could not get messages-service to archive. "+nothing+" Try again later.")
	default:
		backHome(w, r, s, failed, trouble("archival-service", status, err, nothing))
	}
}
