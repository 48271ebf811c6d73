using k8s;
using k8s.Models;
using OrleansLeases.Silo;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Cluster.Tests;

/// <summary>The manifests of <c>deploy/kubernetes</c> are what Kubernetes takes, and say what a silo knows.</summary>
public sealed class ManifestTests
{
    private static readonly List<object> Manifests =
    [
        .. from file in Directory.GetFiles(Repository.PathOf("deploy", "kubernetes"), "*.yaml")
           // Strict: a field that Kubernetes does not have is an error.
           from manifest in KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true)
           select manifest,
    ];

    private static V1Deployment Silos => Manifests.OfType<V1Deployment>().Single();

    private static IEnumerable<V1PodSpec> Pods => [Silos.Spec.Template.Spec, Manifests.OfType<V1Job>().Single().Spec.Template.Spec];

    [Fact]
    public void Variables_OfAllPods_AreSettingsOfTheSilo()
    {
        var variables = Pods.SelectMany(pod => pod.Containers).SelectMany(container => container.Env).ToList();

        Assert.Contains(variables, variable => variable.Name == "LEASES_Cluster__AdvertisedAddress"
            && variable.ValueFrom.FieldRef.FieldPath == "status.podIP");
        Assert.All(variables, variable => SiloVariables.Check(variable.Name, variable.Value));
    }

    [Fact]
    public void Silo_ThatIsToldToStop_HasTimeToDoSo()
    {
        var pod = Silos.Spec.Template.Spec;
        var settings = SiloSettings.Read(Repository.PathOf("silo-config", "cluster.json"));
        var before = TimeSpan.FromSeconds(pod.Containers.Single().Lifecycle.PreStop.Sleep.Seconds);

        Assert.True(TimeSpan.FromSeconds(pod.TerminationGracePeriodSeconds!.Value) > before + settings.ShutdownTimeout);
    }

    [Fact]
    public void Pods_FromTheSameImage_AreRestricted()
    {
        Assert.Single(Pods.SelectMany(pod => pod.Containers).Select(container => container.Image).Distinct());
        Assert.All(Pods, pod =>
        {
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.False(pod.EnableServiceLinks);
            var container = pod.Containers.Single();
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Equal(
                pod.Volumes.Select(volume => volume.Name).Order(), container.VolumeMounts.Select(mount => mount.Name).Order());
        });
    }

    // The role that owns the tables is the migration's.
    [Fact]
    public void Silos_AndTheMigration_HaveARoleEach()
    {
        var connections = Pods.Select(pod => pod.Containers.Single().Env.Single(one => one.Name == "LEASES_Postgres__ConnectionString"));

        Assert.Equal(
            ["leases-database", "leases-database-owner"], connections.Select(connection => connection.ValueFrom.SecretKeyRef.Name));
    }

    [Fact]
    public void WhatSelectsSilos_SelectsThePodsOfTheDeployment()
    {
        var labels = Silos.Spec.Template.Metadata.Labels;
        var ports = Silos.Spec.Template.Spec.Containers.Single().Ports.Select(port => port.Name).ToList();
        var network = Manifests.OfType<V1NetworkPolicy>().Single().Spec;
        var service = Manifests.OfType<V1Service>().Single().Spec;

        Assert.Equal(labels, Silos.Spec.Selector.MatchLabels);
        Assert.Equal(labels, Manifests.OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels);
        Assert.Equal(labels, network.PodSelector.MatchLabels);
        Assert.Equal(labels, service.Selector);
        Assert.Contains(service.Ports.Single().TargetPort.Value, ports);
        Assert.Equal(ports.Order(), network.Ingress.SelectMany(rule => rule.Ports).Select(port => port.Port.Value).Order());
        Assert.All(network.Ingress.Where(rule => rule.Ports.Any(port => port.Port.Value != "http")),
            rule => Assert.Equal(labels, rule.FromProperty.Single().PodSelector.MatchLabels));
    }

    [Fact]
    public void Probes_AndTheScraper_AskWhatIsServed()
    {
        var silo = Silos.Spec.Template.Spec.Containers.Single();

        Assert.Equal("/health/live", silo.StartupProbe.HttpGet.Path);
        Assert.Equal("/health/live", silo.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/ready", silo.ReadinessProbe.HttpGet.Path);
        Assert.Equal(
            silo.Ports.Single(port => port.Name == "http").ContainerPort.ToString(),
            Silos.Spec.Template.Metadata.Annotations["prometheus.io/port"]);
    }
}
