use crate::InvalidValue;

/// A row of the sizes that Fargate offers, in CPU units and MiB.
struct Row {
    cpu: u32,
    smallest: u32,
    largest: u32,
    step: u32,
}

/// ECS developer guide, "Task definition parameters for Fargate", table of task CPU and memory.
/// The smallest row is the only irregular one: 512, 1024, 2048.
const SIZES: [Row; 7] = [
    Row { cpu: 256, smallest: 512, largest: 2048, step: 512 },
    Row { cpu: 512, smallest: 1024, largest: 4096, step: 1024 },
    Row { cpu: 1024, smallest: 2048, largest: 8192, step: 1024 },
    Row { cpu: 2048, smallest: 4096, largest: 16_384, step: 1024 },
    Row { cpu: 4096, smallest: 8192, largest: 30_720, step: 1024 },
    Row { cpu: 8192, smallest: 16_384, largest: 61_440, step: 4096 },
    Row { cpu: 16_384, smallest: 32_768, largest: 122_880, step: 8192 },
];

/// A size that Fargate offers: CPU and memory that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FargateSize {
    cpu: u32,
    memory: u32,
}

impl FargateSize {
    /// A size in CPU units (1024 a vCPU) and MiB; the error names the nearest sizes that exist.
    pub fn new(cpu_units: u32, memory_mib: u32) -> Result<Self, InvalidValue> {
        let size = Self { cpu: cpu_units, memory: memory_mib };
        if Self::all().any(|offered| offered == size) {
            return Ok(size);
        }
        let nearest: Vec<String> = size.nearest().iter().map(|size| size.described()).collect();
        Err(InvalidValue::new(
            "is not a size that Fargate offers",
            format!("the nearest: {}", nearest.join(" · ")),
        )
        .found(size.described()))
    }

    /// CPU units: 1024 are one vCPU.
    pub fn cpu_units(self) -> u32 {
        self.cpu
    }

    /// Memory in MiB.
    pub fn memory_mib(self) -> u32 {
        self.memory
    }

    /// Every size that Fargate offers, smallest first.
    pub fn all() -> impl Iterator<Item = Self> {
        SIZES.iter().flat_map(|row| {
            (row.smallest..=row.largest)
                .step_by(row.step as usize)
                .filter(|memory| row.cpu != 256 || memory.is_power_of_two())
                .map(|memory| Self { cpu: row.cpu, memory })
        })
    }

    /// In the units of `leo.toml`: `1 vCPU with 2 GiB`.
    fn described(self) -> String {
        format!("{} vCPU with {} GiB", thousandths(self.cpu), thousandths(self.memory))
    }

    /// The closest smaller and larger memory for the CPU as given, where Fargate has that CPU, and the closest CPU for the
    /// memory as given.
    fn nearest(self) -> Vec<Self> {
        let same_cpu = || Self::all().filter(|size| size.cpu == self.cpu);
        let same_memory = || Self::all().filter(|size| size.memory == self.memory);
        let mut nearest: Vec<Self> = [
            same_cpu().filter(|size| size.memory < self.memory).max_by_key(|size| size.memory),
            same_cpu().filter(|size| size.memory > self.memory).min_by_key(|size| size.memory),
            same_memory().min_by_key(|size| size.cpu.abs_diff(self.cpu)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if nearest.is_empty() {
            // Neither exists at all: first the closest CPU, then its closest memory.
            let cpu = Self::all().map(|size| size.cpu).min_by_key(|cpu| cpu.abs_diff(self.cpu));
            nearest.extend(
                Self::all()
                    .filter(|size| Some(size.cpu) == cpu)
                    .min_by_key(|size| size.memory.abs_diff(self.memory)),
            );
        }
        nearest
    }
}

/// 1024ths as a decimal number without trailing zeros: 256 is 0.25.
fn thousandths(units: u32) -> String {
    (f64::from(units) / 1024.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_size_and_no_other() {
        let of = |vcpu: u32| FargateSize::all().filter(|size| size.cpu_units() == vcpu).count();
        assert_eq!([256, 512, 1024, 2048, 4096, 8192, 16_384].map(of), [3, 4, 7, 13, 23, 12, 12]);
        for size in FargateSize::all() {
            assert_eq!(FargateSize::new(size.cpu_units(), size.memory_mib()), Ok(size));
        }
        for (cpu, memory) in
            [(256, 1536), (0, 0), (1024, 1024), (4096, 31_744), (8192, 18_432), (u32::MAX, u32::MAX)]
        {
            assert!(FargateSize::new(cpu, memory).is_err(), "{cpu} {memory}");
        }
    }

    #[test]
    fn the_nearest_sizes_are_offered() {
        let hint = |cpu, memory| FargateSize::new(cpu, memory).unwrap_err().hint().unwrap();
        assert_eq!(hint(256, 1536), "the nearest: 0.25 vCPU with 1 GiB · 0.25 vCPU with 2 GiB");
        assert_eq!(hint(3000, 99_999), "the nearest: 2 vCPU with 16 GiB");
        assert_eq!(hint(1024, 0), "the nearest: 1 vCPU with 2 GiB");
    }
}
