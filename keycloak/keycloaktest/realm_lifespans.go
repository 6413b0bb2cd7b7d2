package keycloaktest

import (
	"fmt"
	"time"
)

// lifespans are the realm's, with Keycloak's defaults.
type lifespans struct {
	access  time.Duration // accessTokenLifespan: of access tokens and ID tokens
	idle    time.Duration // ssoSessionIdleTimeout: a session that nobody uses ends
	session time.Duration // ssoSessionMaxLifespan: every session ends
	code    time.Duration // accessCodeLifespan
	signIn  time.Duration // accessCodeLifespanLogin: time to fill in the login page
}

func readLifespans(top *realmJSON) (lifespans, error) {
	var l lifespans
	for _, one := range []struct {
		name      string
		given     *int
		otherwise time.Duration
		into      *time.Duration
	}{
		{"accessTokenLifespan", top.AccessTokenLifespan, 5 * time.Minute, &l.access},
		{"ssoSessionIdleTimeout", top.SSOSessionIdleTimeout, 30 * time.Minute, &l.idle},
		{"ssoSessionMaxLifespan", top.SSOSessionMaxLifespan, 10 * time.Hour, &l.session},
		{"accessCodeLifespan", top.AccessCodeLifespan, time.Minute, &l.code},
		{"accessCodeLifespanLogin", top.AccessCodeLifespanLogin, 30 * time.Minute, &l.signIn},
	} {
		var err error
		if *one.into, err = seconds(one.name, one.given, one.otherwise); err != nil {
			return l, err
		}
	}
	return l, nil
}

func seconds(path string, n *int, otherwise time.Duration) (time.Duration, error) {
	const most = 100 * 365 * 24 * 3600
	switch {
	case n == nil:
		return otherwise, nil
	case *n <= 0 || *n > most:
		return 0, fmt.Errorf("%s: want seconds from 1 to %d, got %d", path, most, *n)
	}
	return time.Duration(*n) * time.Second, nil
}
