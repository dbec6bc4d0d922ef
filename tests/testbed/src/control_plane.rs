//! Real control planes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for nodes and pods.
