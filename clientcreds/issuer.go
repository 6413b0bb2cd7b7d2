package clientcreds

import (
	"context"
	"sync/atomic"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/flight"
)

// documents keeps an issuer's discovery document for all Sources of a client.
type documents struct {
	flight *flight.Flight[*discovery.Document]
	known  atomic.Pointer[discovery.Document]
}

func (d *documents) get(ctx context.Context) (*discovery.Document, error) {
	if doc := d.known.Load(); doc != nil {
		return doc, nil
	}
	doc, err := d.flight.Do(ctx)
	if err != nil {
		return nil, err
	}
	d.known.Store(doc)
	return doc, nil
}

// forget drops doc, so that the next attempt looks where the token endpoint is now.
func (d *documents) forget(doc *discovery.Document) {
	if d != nil && doc != nil {
		d.known.CompareAndSwap(doc, nil)
	}
}
