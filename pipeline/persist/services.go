package persist

import (
	"context"
	"fmt"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// serviceSet collects services, each once by its fingerprint.
type serviceSet map[state.Fingerprint]state.Service

func newServiceSet() serviceSet { return make(serviceSet) }

func (s serviceSet) add(service state.Service) {
	id := service.Fingerprint()
	if _, known := s[id]; !known {
		s[id] = service
	}
}

// keep writes the services that the database does not have yet.
func (s serviceSet) keep(ctx context.Context, q *queries.Queries) error {
	var p queries.AddFingerprintsParams
	for id, f := range s {
		p.Ids = append(p.Ids, uuidOf(id))
		p.Services = append(p.Services, f.Name)
		p.Products = append(p.Products, f.Product)
		p.Versions = append(p.Versions, f.Version)
		p.ExtraInfos = append(p.ExtraInfos, f.ExtraInfo)
		p.Tunnels = append(p.Tunnels, f.Tunnel)
		p.Cpes = append(p.Cpes, strings.Join(f.CPE, "\n"))
		p.Probed = append(p.Probed, f.Probed)
	}
	if err := q.AddFingerprints(ctx, p); err != nil {
		return fmt.Errorf("add fingerprints: %w", err)
	}
	return nil
}
