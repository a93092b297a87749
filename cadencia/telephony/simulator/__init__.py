"""A switch that speaks AMI like Asterisk 22, with a population of debtors behind its trunk."""

from cadencia.telephony.simulator.server import SwitchServer
from cadencia.telephony.simulator.switch import Faults, Population, SimulatedSwitch, WorldPopulation

__all__ = ["Faults", "Population", "SimulatedSwitch", "SwitchServer", "WorldPopulation"]
