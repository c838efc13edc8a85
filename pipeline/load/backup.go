package load

import "gopkg.in/yaml.v3"

// Backup says where a backup of the database is written after every run.
type Backup struct {
	Dir    string `yaml:"dir"`    // absolute; empty: none is written
	Keep   int    `yaml:"keep"`   // how many stay; 0: all
	Verify bool   `yaml:"verify"` // each is tried by a restore
}

// defaultBackups is how many backups stay: two weeks of nights.
const defaultBackups = 14

func (p *parser) backup(node *yaml.Node) {
	b := &p.config.Backup
	p.fields(node, "backup",
		key{"dir", func(n *yaml.Node) { p.path(n, "backup.dir", &b.Dir) }},
		key{"keep", func(n *yaml.Node) { p.whole(n, "backup.keep", 0, 100_000, &b.Keep) }},
		key{"verify", func(n *yaml.Node) { p.flag(n, "backup.verify", &b.Verify) }},
	)
}
